//! Another host.

use super::*;

/// Another host.
pub struct Remote;

impl Remote {
    pub(crate) fn host_name(&self) -> &str {
        ""
    }
    pub(crate) async fn ask<T: serde::de::DeserializeOwned>(&self, _call: Call) -> Result<T, HostError> {
        todo!()
    }
    pub(crate) async fn open_stream(&self, _: &Token, _: Channel) -> Result<ByteStream, HostError> {
        todo!()
    }
    pub(crate) async fn open_pending(&self, _: &Token, _: Channel) -> Result<Box<dyn Pending>, HostError> {
        todo!()
    }
}
