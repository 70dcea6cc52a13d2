//! An HTTP server of the tests: a router, a port, a thread, gone when dropped.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::handler::Handler;
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// A running server.
pub struct Server {
    address: SocketAddr,
    door: Arc<Door>,
    // Dropping the runtime ends the server.
    runtime: Option<Runtime>,
}

/// What may be seen of, and done to, a server's connections.
#[derive(Default)]
pub struct Door {
    accepted: AtomicU64,
    shut: AtomicBool,
}

impl Door {
    /// How many connections came.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    /// From now on, whether every connection is closed as soon as it comes.
    pub fn shut(&self, shut: bool) {
        self.shut.store(shut, Ordering::SeqCst);
    }
}

/// A server that does as it is told, and remembers what it saw.
pub struct Scripted<S> {
    server: Server,
    script: Arc<Mutex<S>>,
}

impl<S: Send + 'static> Scripted<S> {
    /// Serves every request by this handler, whose state is the script.
    pub fn start<T: 'static>(script: S, answer: impl Handler<T, Arc<Mutex<S>>>) -> Self {
        let script = Arc::new(Mutex::new(script));
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&script));
        Self {
            server: Server::start(router),
            script,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its connections: a shut door is a connection reset.
    pub fn door(&self) -> &Door {
        self.server.door()
    }

    /// What it is told to do, and what it saw.
    pub fn script(&self) -> MutexGuard<'_, S> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Serves on a free port of the loopback address.
    pub fn start(router: Router) -> Self {
        Self::start_at(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), router)
            .expect("a free port")
    }

    /// Serves on this address.
    pub fn start_at(address: SocketAddr, router: Router) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let address = listener.local_addr()?;
        let door = Arc::new(Door::default());
        let watched = Watched {
            listener,
            door: Arc::clone(&door),
        };
        runtime.spawn(async move { axum::serve(watched, router).await });
        Ok(Self {
            address,
            door,
            runtime: Some(runtime),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its connections.
    pub fn door(&self) -> &Door {
        &self.door
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Watched {
    listener: TcpListener,
    door: Arc<Door>,
}

impl Listener for Watched {
    type Addr = SocketAddr;
    type Io = TcpStream;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let (stream, peer) = Listener::accept(&mut self.listener).await;
            self.door.accepted.fetch_add(1, Ordering::SeqCst);
            if !self.door.shut.load(Ordering::SeqCst) {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
