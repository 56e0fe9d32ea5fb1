//! Starts, controls and stops the local AWS.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::call::error::WorldError;
use crate::call::log::Call;
use crate::event_source::poller::{PolledBatch, Poller};
use crate::location::ACCOUNT;
use crate::model::world::World;
use crate::server::listener;
use crate::server::shared::Traffic;
use crate::server::shared::{Shared, Transport};
#[cfg(feature = "tls")]
use crate::server::tls::Tls;

/// Port 0 selects a free port.
const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A local AWS that serves until it is dropped.
#[derive(Debug)]
pub struct LocalAws {
    shared: Arc<Shared>,
    address: SocketAddr,
    running: Running,
}

#[derive(Debug)]
enum Running {
    /// A task in the caller's runtime.
    Task(AbortHandle),
    /// A thread with its own runtime. Both fields are taken at the stop.
    Thread { stop: Option<oneshot::Sender<()>>, thread: Option<JoinHandle<()>> },
}

impl LocalAws {
    /// Starts on a free port of the loopback interface, in the caller's runtime.
    pub async fn start(world: World) -> io::Result<Self> {
        Self::start_on(world, LOOPBACK).await
    }

    /// Starts on this address, in the caller's runtime.
    pub async fn start_on(world: World, address: SocketAddr) -> io::Result<Self> {
        Self::start_with(world, address, Transport::Plain).await
    }

    /// Starts with HTTPS on a free port of the loopback interface, in the caller's runtime. Callers must trust
    /// [`Self::certificate_authority`].
    #[cfg(feature = "tls")]
    pub async fn start_tls(world: World) -> io::Result<Self> {
        Self::start_with(world, LOOPBACK, Transport::Tls(Tls::new()?)).await
    }

    /// Starts on a free port of the loopback interface, in its own thread, for callers without a runtime.
    pub fn spawn_thread(world: World) -> io::Result<Self> {
        Self::spawn_thread_with(world, Transport::Plain)
    }

    /// Starts with HTTPS on a free port of the loopback interface, in its own thread. Callers must trust
    /// [`Self::certificate_authority`].
    #[cfg(feature = "tls")]
    pub fn spawn_thread_tls(world: World) -> io::Result<Self> {
        Self::spawn_thread_with(world, Transport::Tls(Tls::new()?))
    }

    async fn start_with(world: World, address: SocketAddr, transport: Transport) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = share(world, transport);
        let task = tokio::spawn(listener::serve(listener, Arc::clone(&shared)));
        Ok(Self { shared, address, running: Running::Task(task.abort_handle()) })
    }

    fn spawn_thread_with(world: World, transport: Transport) -> io::Result<Self> {
        let listener = StdListener::bind(LOOPBACK)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _entered = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let shared = share(world, transport);
        let (stop, stopped) = oneshot::channel();
        let server = serve_until(listener, Arc::clone(&shared), stopped);
        let thread = thread::Builder::new().name("localaws".to_owned()).spawn(move || runtime.block_on(server))?;
        Ok(Self { shared, address, running: Running::Thread { stop: Some(stop), thread: Some(thread) } })
    }

    /// `http://127.0.0.1:PORT`, or `https://` with TLS.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}://{}", self.shared.transport.scheme(), self.address)
    }

    /// The certificate authority of this server in PEM format, for `AWS_CA_BUNDLE` or `SSL_CERT_FILE`; `None` without TLS.
    /// Each server has its own.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn certificate_authority(&self) -> Option<&str> {
        match &self.shared.transport {
            Transport::Plain => None,
            Transport::Tls(tls) => Some(tls.authority()),
        }
    }

    /// The number of connections and TLS handshakes so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.shared.counters.read()
    }

    /// The URL of a queue: `http://127.0.0.1:PORT/123456789012/NAME`
    #[must_use]
    pub fn queue_url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/{name}", self.endpoint())
    }

    /// Locks the world: no call is answered until the guard is dropped. Do not hold it across an `await`.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// The time since the world's start, including [`Self::advance`].
    #[must_use]
    pub fn now(&self) -> Duration {
        self.shared.now()
    }

    /// Advances the world's clock. It affects the state only: latencies and slow answers take real time.
    pub fn advance(&self, by: Duration) {
        self.shared.advance(by);
    }

    /// Waits for the next batch of a poller.
    pub async fn next_batch(&self, poller: &Poller) -> Result<PolledBatch, WorldError> {
        self.shared.wait_for(|world, now| poller.try_poll(world, now)).await
    }

    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.world().calls().to_vec()
    }
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        match &mut self.running {
            Running::Task(task) => task.abort(),
            Running::Thread { stop, thread } => {
                drop(stop.take());
                if let Some(thread) = thread.take() {
                    // Fails only if the thread panicked.
                    thread.join().ok();
                }
            }
        }
    }
}

fn share(mut world: World, transport: Transport) -> Arc<Shared> {
    world.begin_at(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    Arc::new(Shared::new(world, transport))
}

async fn serve_until(listener: TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    tokio::select! {
        () = listener::serve(listener, shared) => {}
        // Dropping the sender is the signal.
        _ = stopped => {}
    }
}
