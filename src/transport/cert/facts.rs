//! What a certificate says.

use std::net::IpAddr;
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use sha2::{Digest, Sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::time::ASN1Time;

use super::{CertError, files};
use crate::model::Millis;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CertFacts {
    /// Whose it is, as a distinguished name.
    pub subject: String,
    /// The host names and addresses that it is good for; names first.
    pub names: Vec<String>,
    /// Who signed it, as a distinguished name.
    pub issuer: String,
    /// Its first moment.
    pub not_before: Millis,
    /// Its last moment.
    pub not_after: Millis,
    /// SHA-256 of it, as `openssl x509 -fingerprint -sha256` prints it.
    pub fingerprint: String,
}

impl CertFacts {
    /// What the certificate `der` says; none if it is not understood.
    pub fn of(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, cert) = x509_parser::parse_x509_certificate(der).ok()?;
        let mut names = Vec::new();
        let mut addresses = Vec::new();
        if let Some(listed) = cert.subject_alternative_name().ok()? {
            for name in &listed.value.general_names {
                match name {
                    GeneralName::DNSName(name) => names.push((*name).to_owned()),
                    GeneralName::IPAddress(bytes) => addresses.extend(address(bytes)),
                    _ => {}
                }
            }
        }
        names.append(&mut addresses);
        let digest = Sha256::digest(der);
        Some(Self {
            subject: cert.subject().to_string(),
            names,
            issuer: cert.issuer().to_string(),
            not_before: millis(cert.validity().not_before),
            not_after: millis(cert.validity().not_after),
            fingerprint: digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":"),
        })
    }

    /// The name by which peers know the host: the first one that is a valid name or address, in small letters.
    pub fn host(&self) -> Option<String> {
        self.names.iter().find_map(|name| canonical(name).ok())
    }
}

/// What the first certificate in a file says.
///
/// # Errors
/// If it cannot be read, or holds none.
pub fn show(file: &Path) -> Result<CertFacts, CertError> {
    let der = first_certificate(file, "name a file that holds a certificate")?;
    CertFacts::of(&der).ok_or_else(|| CertError::Unusable { path: file.to_owned(), what: "certificate" })
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok().map(|address| address.to_string())
}

pub(super) fn millis(time: ASN1Time) -> Millis {
    Millis(time.timestamp().saturating_mul(1000))
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
