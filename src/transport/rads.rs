//! rads
use super::DialError;
use crate::{config::Config, host::ByteStream, model::HostUri, paths::Paths};
/// Dials.
///
/// # Errors
/// Always.
pub async fn dial(_: &HostUri, _: &Config, _: &Paths) -> Result<ByteStream, DialError> {
    todo!()
}
