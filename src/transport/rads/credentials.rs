//! This host's certificate, and the site's authority, which it trusts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, ServerConfig, version};

use crate::cert::{CertError, CertFacts, read, read_key};
use crate::model::Millis;

const CA_HINT: &str = "run 'sysadm cert init-ca' once for the site, or copy the site's ca.pem to there";
const HOST_HINT: &str = "run 'sysadm cert issue HOST' on the host that holds ca.key, and copy HOST.pem and HOST.key here as host.pem and host.key";

/// This host's certificate with its key, and the authorities that it trusts.
pub struct Credentials {
    ca: PathBuf,
    cert: PathBuf,
    facts: CertFacts,
    authority: String,
    roots: Arc<RootCertStore>,
    own: Arc<SingleCertAndKey>,
    provider: Arc<CryptoProvider>,
}

impl Credentials {
    /// Reads `ca.pem`, `host.pem` and `host.key` in that folder.
    ///
    /// # Errors
    /// If one is missing or unusable, or other users can read the key.
    pub fn load(folder: &Path) -> Result<Self, CertError> {
        let (ca, cert, key) = (folder.join("ca.pem"), folder.join("host.pem"), folder.join("host.key"));
        let provider = Arc::new(ring::default_provider());
        let authorities = certificates(&ca, CA_HINT)?;
        let mut roots = RootCertStore::empty();
        for authority in &authorities {
            roots.add(authority.clone()).map_err(|_| unusable(&ca, "certificate of an authority"))?;
        }
        let chain = certificates(&cert, HOST_HINT)?;
        let facts_of = |path, chain: &[CertificateDer<'_>]| {
            chain.first().and_then(CertFacts::of).ok_or_else(|| unusable(path, "certificate"))
        };
        let facts = facts_of(&cert, &chain)?;
        let authority = facts_of(&ca, &authorities)?.subject;
        let secret = PrivateKeyDer::from_pem_slice(&read_key(&key, HOST_HINT)?)
            .map_err(|_| unusable(&key, "private key"))?;
        let own = CertifiedKey::from_der(chain, secret, &provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                CertError::Mismatch { path: cert.clone(), key: key.clone() }
            }
            _ => unusable(&key, "private key"),
        })?;
        let own = Arc::new(SingleCertAndKey::from(own));
        Ok(Self { ca, cert, facts, authority, roots: Arc::new(roots), own, provider })
    }

    /// Checks that this host's certificate is valid now. Peers check that, too; this gives a clearer error.
    pub fn check(&self, now: Millis) -> Result<(), CertError> {
        let path = self.cert.clone();
        if now > self.facts.not_after {
            Err(CertError::Expired { path, since: self.facts.not_after })
        } else if now < self.facts.not_before {
            Err(CertError::NotYet { path, from: self.facts.not_before, now })
        } else {
            Ok(())
        }
    }

    /// For the side that connects.
    pub(super) fn client(&self) -> Result<Arc<ClientConfig>, CertError> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&version::TLS13])
            .map_err(|_| unusable(&self.cert, "certificate for TLS 1.3"))?
            .with_root_certificates(Arc::clone(&self.roots))
            .with_client_cert_resolver(Arc::<SingleCertAndKey>::clone(&self.own));
        // Every connection checks the certificates again.
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }

    /// For the side that is connected to. It requires a certificate.
    pub(super) fn server(&self) -> Result<Arc<ServerConfig>, CertError> {
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&self.roots), Arc::clone(&self.provider))
                .build()
                .map_err(|_| unusable(&self.ca, "certificate of an authority"))?;
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&version::TLS13])
            .map_err(|_| unusable(&self.cert, "certificate for TLS 1.3"))?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::<SingleCertAndKey>::clone(&self.own));
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    /// The authority that this host trusts, to be shown to people.
    pub(super) fn authority(&self) -> String {
        format!("{} ({})", self.ca.display(), self.authority)
    }

    /// This host's own certificate, to be shown to people.
    pub(super) fn own(&self) -> String {
        format!("{} ({}, valid until {})", self.cert.display(), self.facts.subject, self.facts.not_after)
    }
}

fn certificates(path: &Path, hint: &'static str) -> Result<Vec<CertificateDer<'static>>, CertError> {
    let certificates = CertificateDer::pem_slice_iter(&read(path, hint)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| unusable(path, "certificate"))?;
    if certificates.is_empty() { Err(unusable(path, "certificate")) } else { Ok(certificates) }
}

fn unusable(path: &Path, what: &'static str) -> CertError {
    CertError::Unusable { path: path.to_owned(), what }
}
