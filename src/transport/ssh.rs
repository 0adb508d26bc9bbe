//! ssh
use super::DialError;
use crate::{config::Config, host::ByteStream, model::HostUri};
/// What.
#[derive(Debug, Clone)]
pub struct Surroundings;
impl Surroundings {
    /// From.
    pub fn from_environment() -> Self {
        Self
    }
}
/// Dials.
///
/// # Errors
/// Always.
pub async fn dial(_: &HostUri, _: &Config, _: Surroundings) -> Result<ByteStream, DialError> {
    todo!()
}
