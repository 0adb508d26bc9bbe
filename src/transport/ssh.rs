//! ssh
use super::DialError;
use crate::{config::Config, host::ByteStream, model::HostUri};
pub(super) async fn dial(_: &HostUri, _: &Config) -> Result<ByteStream, DialError> {
    todo!()
}
