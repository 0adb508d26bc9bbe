//! rads
use super::DialError;
use crate::{config::Config, host::ByteStream, model::HostUri, paths::Paths};
/// Dials.
///
/// # Errors
/// Always.
pub async fn dial(uri: &HostUri, _: &Config, _: &Paths) -> Result<ByteStream, DialError> {
    Err(DialError::Setup { uri: uri.clone(), what: "not yet".to_owned() })
}
