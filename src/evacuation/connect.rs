//! The other hosts of a run: each is connected to once, all of them at the same time.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::host::{Host, Remote, chain};
use crate::model::HostUri;
use crate::transport::Dialer;

/// How another host is reached. Real ones are dialled; tests have hosts of their own.
#[async_trait::async_trait]
pub trait Network: Send + Sync {
    /// Connects to a host's agent.
    async fn connect(&self, uri: &HostUri) -> Result<Arc<dyn Host>, String>;
}

/// The network as it is.
pub struct Peers {
    network: Arc<dyn Network>,
}

/// Hosts by URI, each with its connection or the reason why there is none.
pub type Connected = BTreeMap<HostUri, Result<Arc<dyn Host>, String>>;

impl Peers {
    /// Peers on that network.
    pub fn new(network: Arc<dyn Network>) -> Self {
        Self { network }
    }

    /// Connects to one of them, or says why that cannot be.
    pub async fn reach(&self, uri: &HostUri) -> Result<Arc<dyn Host>, String> {
        self.network.connect(uri).await
    }

    /// Connects to all of them at once.
    pub async fn connect(&self, uris: impl IntoIterator<Item = HostUri>) -> Connected {
        let mut unique: Vec<_> = uris.into_iter().collect();
        unique.sort();
        unique.dedup();
        let connecting = unique.into_iter().map(|uri| async {
            let host = self.reach(&uri).await;
            (uri, host)
        });
        futures::future::join_all(connecting).await.into_iter().collect()
    }
}

/// Connections over ssh and TLS.
pub struct Dialled(pub Arc<Dialer>);

#[async_trait::async_trait]
impl Network for Dialled {
    async fn connect(&self, uri: &HostUri) -> Result<Arc<dyn Host>, String> {
        match Remote::connect(uri.clone(), Arc::clone(&self.0)).await {
            Ok(host) => Ok(Arc::new(host)),
            Err(error) => Err(chain(&error)),
        }
    }
}
