//! The contents of a certificate.

use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use time::OffsetDateTime;

use super::x509::Certificate;
use super::{CertError, files};
use crate::model::Millis;

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CertFacts {
    /// A distinguished name.
    pub subject: String,
    /// The host names and addresses for which it is valid; names first.
    pub names: Vec<String>,
    /// A distinguished name.
    pub issuer: String,
    pub not_before: Millis,
    pub not_after: Millis,
    /// SHA-256, as printed by `openssl x509 -fingerprint -sha256`.
    pub fingerprint: String,
}

impl CertFacts {
    /// The contents of the certificate `der`; none if it cannot be parsed.
    pub fn of(der: &CertificateDer<'_>) -> Option<Self> {
        let certificate = Certificate::read(der)?;
        let mut names = certificate.dns_names;
        names.extend(certificate.addresses.iter().map(ToString::to_string));
        let digest = ring::digest::digest(&ring::digest::SHA256, der);
        let digest = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>();
        Some(Self {
            subject: certificate.subject.to_string(),
            names,
            issuer: certificate.issuer.to_string(),
            not_before: millis(certificate.not_before),
            not_after: millis(certificate.not_after),
            fingerprint: digest.join(":"),
        })
    }

    /// The name by which peers know the host: the first one that is a valid name or address, in lower case.
    pub fn host(&self) -> Option<String> {
        self.names.iter().find_map(|name| canonical(name).ok())
    }
}

/// The contents of the first certificate in a file.
pub fn show(file: &Path) -> Result<CertFacts, CertError> {
    let der = first_certificate(file, "name a file that holds a certificate")?;
    CertFacts::of(&der).ok_or_else(|| CertError::Unusable { path: file.to_owned(), what: "certificate" })
}

pub(super) fn millis(time: OffsetDateTime) -> Millis {
    Millis(time.unix_timestamp().saturating_mul(1000))
}

pub(super) fn first_certificate(
    path: &Path,
    hint: &'static str,
) -> Result<CertificateDer<'static>, CertError> {
    CertificateDer::from_pem_slice(&files::read(path, hint)?)
        .map_err(|_| CertError::Unusable { path: path.to_owned(), what: "certificate" })
}

/// The form in which names are compared and become file names.
pub(super) fn canonical(name: &str) -> Result<String, CertError> {
    let wrong = || CertError::Name { name: name.to_owned() };
    let parsed = ServerName::try_from(name.trim_end_matches('.')).map_err(|_| wrong())?;
    Ok(parsed.to_str().to_ascii_lowercase())
}
