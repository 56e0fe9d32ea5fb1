"""A local cloud: ministack on a free port of the loopback interface, with enforced permissions."""

import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

REGION = "eu-central-1"
ACCOUNT = "000000000000"
ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "e2e"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cloud:
    """Starts on entry; on exit, ends it and every process that it started, by process id."""

    def __init__(self):
        self.port = free_port()
        self.endpoint = f"https://127.0.0.1:{self.port}"
        self.temporary = WORK / "tmp"
        self.certificate, self.key = WORK / "certificate.pem", WORK / "key.pem"
        self.log = WORK / "ministack.log"
        self.process = None

    def environment(self):
        """The environment to call this cloud as the account's root, without the caller's own AWS settings."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
        return own | {
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            # Both for the aws command and for the function: the certificate is the cloud's own.
            "AWS_CA_BUNDLE": str(self.certificate),
            "SSL_CERT_FILE": str(self.certificate),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_PAGER": "",
            "SAM_CLI_TELEMETRY": "0",
            "TMPDIR": str(self.temporary),
        }

    def __enter__(self):
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(parents=True)
        self.certify()
        environment = self.environment() | {
            "USE_SSL": "1",
            "MINISTACK_SSL_CERT": str(self.certificate),
            "MINISTACK_SSL_KEY": str(self.key),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "LAMBDA_EXECUTOR": "local",
            "MINISTACK_REGION": REGION,
            "AUTH": "true",
            # Lambda waits a minute before it retries a direct event.
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "1",
            "LAMBDA_ASYNC_RETRY_MAX_SECONDS": "1",
        }
        program = pathlib.Path(sys.executable).with_name("ministack")
        with self.log.open("w") as log:
            # A new session, so that the processes it starts can be found.
            self.process = subprocess.Popen(
                [program], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def certify(self):
        """A certificate for one day: the template's queues deny requests without TLS."""
        names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-days", "1", "-subj", "/CN=localhost", "-addext", names, "-addext", "basicConstraints=critical,CA:FALSE"]
        command += ["-keyout", str(self.key), "-out", str(self.certificate)]
        subprocess.run(command, check=True, capture_output=True)

    def wait_until_ready(self):
        deadline, trust = time.monotonic() + 60, ssl.create_default_context(cafile=self.certificate)
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"ministack ended at once; {self.log} says why")
            try:
                urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2, context=trust).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"ministack is not ready after a minute; {self.log} says why")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for child in self.left():
            os.kill(child, 9)
        shutil.rmtree(self.temporary, ignore_errors=True)

    def left(self):
        """The remaining processes of the cloud's session: the functions."""
        found = []
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended
            if int(fields[3]) == self.process.pid and fields[0] != "Z":
                found.append(int(stat.parent.name))
        return found
