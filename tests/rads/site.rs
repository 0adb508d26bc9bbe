//! A site with an authority and hosts, in a temporary folder.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sysadm::testing::agent::listen::{Listener, LogSink};
use sysadm::testing::config::Config;
use sysadm::testing::host::Host;
use sysadm::testing::paths::Paths;
use sysadm_model::{HostUri, Message, Millis};
use sysadm_transport::{DialOptions, Dialer, cert};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::fake::Fake;

pub const DAY: u64 = 86_400_000;

pub struct Site {
    dir: tempfile::TempDir,
}

impl Site {
    pub fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        cert::init_ca(&dir.path().join("ca"), name, Millis::now()).unwrap();
        Self { dir }
    }

    pub fn ca(&self) -> PathBuf {
        self.dir.path().join("ca")
    }

    /// A host with its certificate in place, valid for `name` and 127.0.0.1.
    pub fn host(&self, name: &str) -> Paths {
        let extra = ["127.0.0.1".to_owned()];
        let pair = cert::issue(&self.ca(), name, &extra, 30, Millis::now()).unwrap();
        self.place(name, &pair)
    }

    /// A host whose certificate was made at `now` and is valid for `days`.
    pub fn host_at(&self, name: &str, now: Millis, days: u32) -> Paths {
        // The authority itself may be younger: TLS does not check that.
        let pair = cert::issue(&self.ca(), name, &["127.0.0.1".to_owned()], days, now).unwrap();
        self.place(name, &pair)
    }

    pub fn place(&self, name: &str, pair: &cert::Pair) -> Paths {
        let paths = Paths::new(self.dir.path().join("hosts").join(name));
        fs::create_dir_all(paths.tls_dir()).unwrap();
        fs::copy(self.ca().join("ca.pem"), paths.tls_dir().join("ca.pem")).unwrap();
        fs::copy(&pair.cert, paths.tls_dir().join("host.pem")).unwrap();
        fs::copy(&pair.key, paths.tls_dir().join("host.key")).unwrap();
        paths
    }
}

pub fn config(change: impl FnOnce(&mut Config)) -> Arc<Config> {
    let mut config = Config::default();
    config.agent.listen = "127.0.0.1:0".to_owned();
    change(&mut config);
    Arc::new(config)
}

pub fn dialer(paths: &Paths) -> Arc<Dialer> {
    Arc::new(Dialer { options: DialOptions::default(), tls: paths.tls_dir() })
}

pub fn impatient(paths: &Paths) -> Arc<Dialer> {
    let mut options = DialOptions::default();
    options.connect.timeout = 1;
    Arc::new(Dialer { options, tls: paths.tls_dir() })
}

pub fn uri(host: &str, address: SocketAddr) -> HostUri {
    format!("rads://{host}:{}", address.port()).parse().unwrap()
}

/// A running agent, and what it logged.
pub struct Agent {
    pub address: SocketAddr,
    pub log: Arc<Mutex<Vec<String>>>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Agent {
    /// An agent of a host that does nothing.
    pub async fn start(paths: &Paths, config: Arc<Config>) -> Self {
        Self::serve(paths, config, Arc::new(Fake)).await
    }

    pub async fn serve(paths: &Paths, config: Arc<Config>, host: Arc<dyn Host>) -> Self {
        let listener = Listener::bind(config, paths.clone()).await.unwrap();
        let address = listener.address();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let log_to: LogSink = Arc::new(move |line: Message| lines.lock().unwrap().push(line.text));
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        let task = tokio::spawn(listener.run(host, log_to, stopped));
        Self { address, log, stop: Some(stop), task }
    }

    pub fn uri(&self) -> HostUri {
        uri("127.0.0.1", self.address)
    }

    /// Waits until a line with `words` has been logged.
    pub async fn logged(&self, words: &str) -> String {
        for _ in 0..1500 {
            if let Some(line) = self.log.lock().unwrap().iter().find(|line| line.contains(words)) {
                return line.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("no line with {words:?} in {:?}", self.log.lock().unwrap());
    }

    pub fn begin_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub async fn ended(self) {
        self.task.await.unwrap();
    }
}

pub fn write(paths: &Paths, file: &str, bytes: &[u8]) {
    fs::write(paths.tls_dir().join(file), bytes).unwrap();
}

pub fn copy(from: &Path, paths: &Paths, file: &str) {
    fs::copy(from, paths.tls_dir().join(file)).unwrap();
}
