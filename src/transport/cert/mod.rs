//! Certificates of a site: one authority, and one certificate for each host, which it shows both as server and as
//! client.
//!
//! ```text
//!   init_ca ─► ca.pem, ca.key          once for the site, on one machine
//!   issue   ─► HOST.pem, HOST.key      there too; they go to HOST as host.pem and host.key, with ca.pem
//! ```
//!
//! Existing files are never overwritten. A key is written with mode 0600, appears complete or not at all, and is
//! never part of an error. A certificate is valid from one hour before its creation, for hosts whose clocks are
//! slow.

mod error;
mod facts;
mod files;
#[cfg(test)]
mod tests;
mod x509;

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose,
};
use time::OffsetDateTime;

use self::facts::{canonical, first_certificate, millis};
use self::files::{refuse_existing, write_new};
use self::x509::Certificate;
use crate::model::Millis;

pub use self::error::CertError;
pub use self::facts::{CertFacts, show};
pub(super) use self::files::{read, read_key};

/// Validity of the authority: ten years.
pub const CA_DAYS: u32 = 3652;

/// Default validity of a host's certificate: two years.
pub const HOST_DAYS: u32 = 730;

const HOUR: u64 = 3_600_000;

/// The two files of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Pair {
    fn new(dir: &Path, name: &str) -> Self {
        Self { cert: dir.join(format!("{name}.pem")), key: dir.join(format!("{name}.key")) }
    }

    /// The key is written first: a certificate without a key would look finished and be useless.
    fn write(&self, cert: &str, key: &str) -> Result<(), CertError> {
        write_new(&self.key, key.as_bytes(), 0o600)?;
        write_new(&self.cert, cert.as_bytes(), 0o644).inspect_err(|_| {
            let _ = fs::remove_file(&self.key);
        })
    }
}

/// Creates the authority of a site in `dir`: `ca.pem`, which goes to every host, and `ca.key`, which stays there.
///
/// # Errors
/// If there is one already, or it cannot be written.
pub fn init_ca(dir: &Path, site: &str, now: Millis) -> Result<Pair, CertError> {
    if site.is_empty() || site.chars().count() > 64 || site.chars().any(char::is_control) {
        return Err(CertError::Site { name: site.to_owned() });
    }
    let pair = Pair::new(dir, "ca");
    refuse_existing(&pair)?;
    let make = |source| CertError::Make { subject: format!("site {site}"), source };
    let mut params = params_for(now, CA_DAYS)?;
    params.distinguished_name.push(DnType::OrganizationName, site);
    params.distinguished_name.push(DnType::CommonName, "sysadm CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().map_err(make)?;
    let cert = params.self_signed(&key).map_err(make)?;
    crate::folder::make(dir, 0o755).map_err(|source| CertError::Write { path: dir.to_owned(), source })?;
    pair.write(&cert.pem(), &key.serialize_pem())?;
    Ok(pair)
}

/// Creates `HOST.pem` and `HOST.key` in `dir`, signed by the authority there. They are valid for `host` and for
/// each of the `extra` names and addresses, for `days` days but not longer than the authority.
///
/// Peers know the host, and give it a role, by the first *name* in the certificate: `host`, unless that is an
/// address and there is a name among the `extra` ones.
///
/// # Errors
/// If there is one already, a name is invalid, the authority is not usable, or a file cannot be written.
pub fn issue(dir: &Path, host: &str, extra: &[String], days: u32, now: Millis) -> Result<Pair, CertError> {
    let host = canonical(host)?;
    let mut names = vec![host.clone()];
    for name in extra {
        let name = canonical(name)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let pair = Pair::new(dir, &host);
    refuse_existing(&pair)?;
    let (issuer, last) = load_ca(dir, now)?;
    let make = |source| CertError::Make { subject: host.clone(), source };
    let mut params = params_for(now, days)?;
    params.not_after = params.not_after.min(last);
    params.subject_alt_names = CertificateParams::new(names).map_err(make)?.subject_alt_names;
    params.distinguished_name.push(DnType::CommonName, common_name(&host));
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().map_err(make)?;
    let cert = params.signed_by(&key, &issuer).map_err(make)?;
    pair.write(&cert.pem(), &key.serialize_pem())?;
    Ok(pair)
}

fn params_for(now: Millis, days: u32) -> Result<CertificateParams, CertError> {
    let at = |time: i64| {
        OffsetDateTime::from_unix_timestamp(time.div_euclid(1000)).map_err(|_| CertError::Days { days })
    };
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = at(now.0.saturating_sub_unsigned(HOUR))?;
    params.not_after = at(now.after(u64::from(days) * 24 * HOUR).0)?;
    Ok(params)
}

fn load_ca(dir: &Path, now: Millis) -> Result<(Issuer<'static, KeyPair>, OffsetDateTime), CertError> {
    let ca = Pair::new(dir, "ca");
    let hint =
        "run 'sysadm cert init-ca' once for the site, and issue certificates on the host where it was run";
    let key = KeyPair::from_pem(&String::from_utf8_lossy(&read_key(&ca.key, hint)?))
        .map_err(|_| CertError::Unusable { path: ca.key.clone(), what: "private key" })?;
    let der = first_certificate(&ca.cert, hint)?;
    let unusable = || CertError::Unusable { path: ca.cert.clone(), what: "certificate of an authority" };
    let certificate = Certificate::read(&der).filter(|read| read.is_authority).ok_or_else(unusable)?;
    if certificate.public_key != key.public_key_raw() {
        return Err(CertError::Mismatch { path: ca.cert, key: ca.key });
    }
    let last = certificate.not_after;
    if millis(last) <= now {
        return Err(CertError::Expired { path: ca.cert, since: millis(last) });
    }
    let mut about = CertificateParams::default();
    about.distinguished_name = certificate.subject.to_distinguished_name().ok_or_else(unusable)?;
    if let Some(identifier) = certificate.key_identifier {
        about.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
    }
    Ok((Issuer::new(about, key), last))
}

/// A common name has at most 64 characters, a host name 253.
fn common_name(host: &str) -> &str {
    if host.len() <= 64 { host } else { host.split('.').next().unwrap_or(host) }
}
