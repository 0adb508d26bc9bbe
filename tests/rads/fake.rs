//! A host that answers `facts`, echoes what comes on its streams, and does nothing else.

use async_trait::async_trait;
use sysadm::testing::host::{DiskView, Exported, Host, HostError, Pending, ProbeTicket};
use sysadm_model::{
    Blocker, CheckRequest, Facts, HostId, InterfaceMapping, Inventory, Location, Manifest, Millis, Replica,
    Takeover, Zone, ZoneName,
};
use sysadm_model::{Progress, Sent, StreamId, Token};
use sysadm_planner::plan::Survey;
use sysadm_transport::ByteStream;
use uuid::Uuid;

pub struct Fake;

/// The same on another machine.
pub struct Other;

macro_rules! nothing {
    ($host:ident is $id:literal; $($name:ident($($type:ty),*) -> $reply:ty;)+) => {
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
                Err(failed())
            }

            $(async fn $name(&self, $(_: $type),*) -> Result<$reply, HostError> {
                Err(failed())
            })+
        }
    };
}

fn failed() -> HostError {
    HostError::permanent("fake", "fake")
}

macro_rules! hosts {
    ($($host:ident is $id:literal;)+) => {$(
        nothing! {
            $host is $id;
            inventory() -> Inventory;
            survey(bool) -> Survey;
            location(Uuid) -> Location;
            check(CheckRequest) -> Vec<Blocker>;
            manifest(ZoneName) -> Manifest;
            export(ZoneName) -> Exported;
            verify_storage(ProbeTicket) -> Vec<DiskView>;
            clear_markers(ProbeTicket) -> ();
            store_replica(Replica) -> ();
            drop_replicas(String, Vec<Uuid>, Vec<(Uuid, Millis)>) -> Vec<Takeover>;
            reserve(CheckRequest, u64) -> bool;
            renew(ZoneName, Uuid, u64) -> ();
            release(ZoneName, Uuid) -> ();
            attach(Manifest) -> ();
            detach(ZoneName, Uuid, bool) -> ();
            keep(Manifest) -> ();
            set_autostart(ZoneName, bool) -> ();
            open_incoming(Manifest, Token) -> ();
            close_incoming(Token) -> ();
            send(Zone, Token, Vec<InterfaceMapping>) -> Sent;
            progress(ZoneName) -> Option<Progress>;
            abort(ZoneName) -> ();
            wait_sent(ZoneName) -> ();
            resume(ZoneName, Uuid) -> ();
            destroy_incoming(ZoneName, Uuid) -> ();
            shutdown(ZoneName, Uuid, u64) -> ();
            boot(ZoneName, Uuid) -> bool;
        }
    )+};
}

hosts! {
    Fake is 1;
    Other is 2;
}
