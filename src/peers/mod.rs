//! The other hosts of a run: all are connected to at the same time, each only once, and each counts once,
//! whatever names it has.

pub mod survey;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::host::{Host, Remote};
use crate::model::chain;
use crate::model::{HostId, HostUri};
use crate::transport::Dialer;

/// Connects to other hosts: to real ones, or in tests to hosts of their own.
#[async_trait::async_trait]
pub trait Connector: Send + Sync {
    async fn connect(&self, uri: &HostUri) -> Result<Arc<dyn Host>, String>;
}

/// Why there is no other host at a URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPeer {
    /// It cannot be reached, or does not answer as a host.
    #[error("{0}")]
    Silent(String),
    /// It is this host.
    #[error("this host itself")]
    Itself,
}

impl From<NoPeer> for String {
    fn from(why: NoPeer) -> Self {
        why.to_string()
    }
}

/// The other hosts: each is connected to once, and again only if its connection has broken.
pub struct Peers {
    network: Arc<dyn Connector>,
    here: Option<HostId>,
    connections: Mutex<BTreeMap<HostUri, Arc<dyn Host>>>,
}

/// A host that was reached, or why not.
pub type Reached = Result<Arc<dyn Host>, NoPeer>;

impl Peers {
    /// The peers of that host, reached by that connector; none: no host is excluded as this one.
    pub fn new(network: Arc<dyn Connector>, here: Option<HostId>) -> Self {
        Self { network, here, connections: Mutex::default() }
    }

    /// Connects to one host.
    pub async fn reach(&self, uri: &HostUri) -> Reached {
        let host = match self.connection(uri) {
            Some(host) => host,
            None => self.network.connect(uri).await.map_err(NoPeer::Silent)?,
        };
        self.connections().insert(uri.clone(), Arc::clone(&host));
        if self.here == Some(host.id()) { Err(NoPeer::Itself) } else { Ok(host) }
    }

    fn connections(&self) -> MutexGuard<'_, BTreeMap<HostUri, Arc<dyn Host>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection to a host, if there is one that works.
    fn connection(&self, uri: &HostUri) -> Option<Arc<dyn Host>> {
        self.connections().get(uri).filter(|host| host.is_connected()).cloned()
    }

    /// Connects to all of them in parallel.
    pub async fn connect(&self, uris: impl IntoIterator<Item = HostUri>) -> Connected {
        let mut unique: Vec<HostUri> = Vec::new();
        for uri in uris {
            if !unique.contains(&uri) {
                unique.push(uri);
            }
        }
        let connecting = unique.into_iter().map(|uri| async {
            let host = self.reach(&uri).await;
            (uri, host)
        });
        Connected::of(futures_util::future::join_all(connecting).await)
    }
}

/// Hosts by URI, each with its connection or the reason why there is none. A host that was reached under several
/// names is known by the first.
#[derive(Clone, Default)]
pub struct Connected {
    hosts: BTreeMap<HostUri, Reached>,
    /// The other names, each with the first one.
    also: BTreeMap<HostUri, HostUri>,
}

impl Connected {
    /// Hosts in their order, as each was reached.
    pub fn of(reached: impl IntoIterator<Item = (HostUri, Reached)>) -> Self {
        let (mut connected, mut names) = (Self::default(), BTreeMap::new());
        for (uri, host) in reached {
            if let Ok(host) = &host {
                let first = names.entry(host.id()).or_insert_with(|| uri.clone());
                if *first != uri {
                    connected.also.insert(uri, first.clone());
                    continue;
                }
            }
            connected.hosts.insert(uri, host);
        }
        connected
    }

    /// The name by which that host is known.
    pub fn name_of<'a>(&'a self, uri: &'a HostUri) -> &'a HostUri {
        self.also.get(uri).unwrap_or(uri)
    }

    /// The names by which these hosts are known, in order and without duplicates.
    pub fn names_of(&self, uris: &[HostUri]) -> Vec<HostUri> {
        let mut names: Vec<HostUri> = Vec::new();
        for name in uris.iter().map(|uri| self.name_of(uri)) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// The host with that name; none if it was not tried.
    pub fn get(&self, uri: &HostUri) -> Option<&Reached> {
        self.hosts.get(self.name_of(uri))
    }

    /// The hosts that were reached, by the names by which they are known.
    pub fn reached(&self) -> impl Iterator<Item = (&HostUri, &Arc<dyn Host>)> {
        self.hosts.iter().filter_map(|(uri, host)| Some((uri, host.as_ref().ok()?)))
    }

    /// Remarks about URIs that are not those of other hosts of their own.
    pub fn remarks(&self) -> Vec<String> {
        let itself = self.hosts.iter().filter(|(_, host)| matches!(host, Err(NoPeer::Itself)));
        let itself = itself.map(|(uri, _)| format!("{uri} is this host itself"));
        let also = self.also.iter().map(|(uri, first)| format!("{uri} is the same host as {first}"));
        itself.chain(also).collect()
    }
}

/// Connections over ssh and TLS.
pub struct Dialled(pub Arc<Dialer>);

#[async_trait::async_trait]
impl Connector for Dialled {
    async fn connect(&self, uri: &HostUri) -> Result<Arc<dyn Host>, String> {
        match Remote::connect(uri.clone(), Arc::clone(&self.0)).await {
            Ok(host) => Ok(Arc::new(host)),
            Err(error) => Err(chain(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::host::fake::FakeHost;
    use crate::store::tests::sample::uri;

    /// Every URI leads to the same host. Counts how often it is dialled.
    #[derive(Default)]
    struct One(AtomicUsize, Mutex<Vec<Arc<FakeHost>>>);

    #[async_trait::async_trait]
    impl Connector for One {
        async fn connect(&self, uri: &HostUri) -> Result<Arc<dyn Host>, String> {
            self.0.fetch_add(1, Ordering::Relaxed);
            if uri.host == "nobody" {
                return Err("no route".to_owned());
            }
            let host = FakeHost::new(&uri.host).0;
            self.1.lock().unwrap().push(Arc::clone(&host));
            Ok(host)
        }
    }

    #[tokio::test]
    async fn a_host_goes_by_the_first_of_its_names() {
        let names = ["rads://z", "rads://nobody", "rads://a", "ssh://z"].map(uri);
        let connected = Peers::new(Arc::new(One::default()), None).connect(names.clone()).await;
        assert_eq!(connected.names_of(&names), [uri("rads://z"), uri("rads://nobody")]);
        assert_eq!(connected.get(&uri("rads://a")).unwrap().as_ref().unwrap().name(), "z");
        assert_eq!(connected.reached().count(), 1);
        assert!(
            matches!(connected.get(&uri("rads://nobody")), Some(Err(NoPeer::Silent(why))) if why == "no route")
        );
        assert!(connected.get(&uri("rads://b")).is_none());
        let remarks = ["ssh://z is the same host as rads://z", "rads://a is the same host as rads://z"];
        assert_eq!(connected.remarks(), remarks);
    }

    #[tokio::test]
    async fn whoever_asks_is_no_peer_of_its_own_under_any_name() {
        let peers = Peers::new(Arc::new(One::default()), Some(HostId::test(1)));
        let connected = peers.connect(["rads://z", "rads://a"].map(uri)).await;
        assert_eq!(connected.reached().count(), 0);
        assert_eq!(peers.reach(&uri("rads://z")).await.err(), Some(NoPeer::Itself));
        let remarks = ["rads://a is this host itself", "rads://z is this host itself"];
        assert_eq!(connected.remarks(), remarks);
    }

    #[tokio::test]
    async fn each_is_dialled_once_and_again_when_its_connection_has_broken_or_there_was_none() {
        let network = Arc::new(One::default());
        let peers = Peers::new(Arc::clone(&network) as Arc<dyn Connector>, None);
        let uris = ["rads://z", "rads://nobody"].map(uri);
        let dialled = || network.0.swap(0, Ordering::Relaxed);
        peers.connect(uris.clone()).await;
        assert_eq!(dialled(), 2);
        peers.connect(uris.clone()).await;
        peers.reach(&uris[0]).await.unwrap();
        assert_eq!(dialled(), 1, "only the one that could not be reached");
        network.1.lock().unwrap()[0].is_broken.store(true, Ordering::Relaxed);
        peers.reach(&uris[0]).await.unwrap();
        assert_eq!(dialled(), 1);
        peers.reach(&uris[0]).await.unwrap();
        assert_eq!(dialled(), 0);
    }
}
