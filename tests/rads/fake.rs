//! Hosts that answer `facts`, repeat what comes on their streams, and do nothing else.

use async_trait::async_trait;
use sysadm::testing::host::{Host, HostError, Pending};
use sysadm_model::{Facts, HostId, StreamId, Token};
use sysadm_transport::ByteStream;
use uuid::Uuid;

pub struct Fake;

/// The same on another machine.
pub struct Other;

macro_rules! hosts {
    ($($host:ident is $id:literal;)+) => {$(
        #[async_trait]
        impl Host for $host {
            fn name(&self) -> &str {
                "fake"
            }

            fn id(&self) -> HostId {
                Uuid::from_u128($id).into()
            }

            async fn facts(&self) -> Result<Facts, HostError> {
                Ok(Facts {
                    host: "fake".to_owned(),
                    software: "1".to_owned(),
                    platform: "none".to_owned(),
                    hypervisor: String::new(),
                    arch: String::new(),
                    memory: 1,
                    memory_free: 1,
                    cpus: 1,
                    maintenance: None,
                    announced: None,
                })
            }

            async fn connect(&self, _: &Token, _: StreamId) -> Result<ByteStream, HostError> {
                let (outer, inner) = tokio::io::duplex(1 << 16);
                tokio::spawn(async move {
                    let (mut reader, mut writer) = tokio::io::split(inner);
                    let _ = tokio::io::copy(&mut reader, &mut writer).await;
                    let _ = tokio::io::AsyncWriteExt::shutdown(&mut writer).await;
                });
                Ok(Box::new(outer))
            }

            async fn listen(&self, _: &Token, _: StreamId) -> Result<Box<dyn Pending>, HostError> {
                Err(HostError::permanent("fake", "fake"))
            }
        }
    )+};
}

hosts! {
    Fake is 1;
    Other is 2;
}
