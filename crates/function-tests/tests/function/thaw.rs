//! An execution environment thaws with dead connections in its pool: they are not used again.
//!
//! The function's process is stopped and continued. Its connections to the local AWS go through a relay that closes the old
//! connections during the freeze, or discards what is sent on them.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::process::FUNCTION;
use crate::common::{is, notice};
use lambda_simulator::{InvocationBuilder, InvocationStatus, Simulator};
use serde_json::{Value, json};
use spotdrain_localaws::{Group, LoadBalancer, LocalAws, Service, State, World};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What happens to the connections that are open when the function is frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Old {
    /// The other side closes them.
    Closed,
    /// A device on the way drops them: what is sent on them is lost.
    Swallowed,
}

/// A relay to the local AWS.
#[derive(Debug)]
struct Relay {
    to: String,
    old: Old,
    is_frozen: AtomicBool,
    opened: AtomicUsize,
    /// Bytes received on connections from before the freeze.
    late_bytes: AtomicUsize,
}

impl Relay {
    /// Starts the relay on a free port, and returns its endpoint.
    async fn start(local: &LocalAws, old: Old) -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let to = local.endpoint().trim_start_matches("http://").to_owned();
        let (is_frozen, opened, late_bytes) = Default::default();
        let relay = Arc::new(Self { to, old, is_frozen, opened, late_bytes });
        tokio::spawn(Arc::clone(&relay).accept(listener));
        (relay, endpoint)
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        while let Ok((client, _)) = listener.accept().await {
            self.opened.fetch_add(1, Ordering::SeqCst);
            let server = TcpStream::connect(&self.to).await.unwrap();
            let is_old = !self.is_frozen.load(Ordering::SeqCst);
            tokio::spawn(Arc::clone(&self).carry(client, server, is_old));
        }
    }

    async fn carry(self: Arc<Self>, mut client: TcpStream, mut server: TcpStream, is_old: bool) {
        let is_dead = || is_old && self.is_frozen.load(Ordering::SeqCst);
        let (mut up, mut down) = ([0; 4096], [0; 4096]);
        while !(is_dead() && self.old == Old::Closed) {
            tokio::select! {
                read = client.read(&mut up) => match read {
                    Ok(0) | Err(_) => return,
                    Ok(read) if is_dead() => _ = self.late_bytes.fetch_add(read, Ordering::SeqCst),
                    Ok(read) => server.write_all(&up[..read]).await.unwrap(),
                },
                read = server.read(&mut down) => match read {
                    Ok(0) | Err(_) => return,
                    Ok(read) => client.write_all(&down[..read]).await.unwrap(),
                },
                // Check regularly whether the freeze has begun.
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        }
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }
}

fn world() -> (World, [String; 2]) {
    let mut world = World::new();
    world.add_cluster("demo");
    let groups = ["first", "second"].map(|name| {
        let group = Group::new(name, 80).target("10.0.0.1", State::Healthy).target("10.0.0.2", State::Healthy);
        let arn = world.add_group(group);
        world.add_service(Service::new("demo", name).load_balancer(LoadBalancer::new(&arn, "web", 80)));
        arn
    });
    (world, groups)
}

/// A function whose process is killed when the test ends.
struct Function(Child);

impl Function {
    fn start(simulator: &Simulator, endpoint: &str) -> Self {
        let mut command = Command::new(FUNCTION);
        command
            .env_clear()
            .envs(simulator.lambda_env_vars())
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("AWS_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", "k").env("AWS_SECRET_ACCESS_KEY", "s").stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

async fn invoke(simulator: &Simulator, payload: Value) -> Value {
    let id = simulator.enqueue(InvocationBuilder::new().payload(payload).timeout_ms(20_000).build().unwrap()).await;
    let done = simulator.wait_for_invocation_complete(&id, Duration::from_secs(30)).await.unwrap();
    assert_eq!(done.status, InvocationStatus::Success, "{:?}", done.error);
    done.response.unwrap().payload
}

async fn freeze_and_thaw(old: Old) {
    let (world, groups) = world();
    let local = LocalAws::spawn_thread(world).unwrap();
    let (relay, endpoint) = Relay::start(&local, old).await;
    let simulator = Simulator::builder().build().await.unwrap();
    let function = Function::start(&simulator, &endpoint);
    assert_eq!(invoke(&simulator, notice(1, "first", "10.0.0.1")).await, json!({"verdict": "done"}));
    let before = relay.opened();

    function.signal("-STOP");
    relay.is_frozen.store(true, Ordering::SeqCst);
    // The freeze, which must be longer than the function reuses idle connections. A stopped process has no test clock.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    function.signal("-CONT");

    assert_eq!(invoke(&simulator, notice(2, "second", "10.0.0.1")).await, json!({"verdict": "done"}));
    assert!(is(&local, &groups[1], ("10.0.0.1", 80), State::Draining));
    assert!(relay.opened() > before, "new connections were opened");
    let late = relay.late_bytes.load(Ordering::SeqCst);
    assert_eq!(late, 0, "nothing was sent on a connection from before the freeze");
}

#[tokio::test]
async fn after_a_thaw_closed_connections_are_not_used() {
    freeze_and_thaw(Old::Closed).await;
}

#[tokio::test]
async fn after_a_thaw_dropped_connections_are_not_used() {
    freeze_and_thaw(Old::Swallowed).await;
}

#[tokio::test]
async fn consecutive_batches_reuse_their_connections() {
    let local = LocalAws::spawn_thread(world().0).unwrap();
    let (relay, endpoint) = Relay::start(&local, Old::Closed).await;
    let simulator = Simulator::builder().build().await.unwrap();
    let _function = Function::start(&simulator, &endpoint);
    invoke(&simulator, notice(1, "first", "10.0.0.1")).await;
    let before = relay.opened();
    invoke(&simulator, notice(2, "second", "10.0.0.1")).await;
    assert_eq!(relay.opened(), before);
}
