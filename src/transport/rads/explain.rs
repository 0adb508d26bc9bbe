//! What went wrong between two hosts: errors that name the host, the side at fault and the next step.

use std::io;

use rustls::{AlertDescription, CertificateError};

use super::Credentials;
use crate::DialError;
use crate::model::{HostUri, Message, Millis};

/// Why there is no TCP connection.
pub(super) fn connect(uri: &HostUri, error: io::Error) -> DialError {
    let source = match error.kind() {
        io::ErrorKind::ConnectionRefused => io::Error::new(error.kind(), "connection refused"),
        _ => error,
    };
    DialError::Connect { uri: uri.clone(), source }
}

/// Why the TLS handshake, or waiting for the byte after it, failed.
pub(super) fn handshake(uri: &HostUri, port: u16, credentials: &Credentials, error: io::Error) -> DialError {
    match tls_error(&error) {
        Some(rustls::Error::InvalidCertificate(fault)) => identity(uri, credentials, fault),
        Some(rustls::Error::AlertReceived(alert)) => rejected(uri, credentials, *alert),
        Some(_) => unmanaged_guest(uri, port),
        None => {
            no_agent(uri, format!("the connection to port {port} ended within the TLS handshake ({error})"))
        }
    }
}

/// The host has too many connections.
pub(super) fn busy(uri: &HostUri) -> DialError {
    let what =
        Message::from("its limit of connections is reached (agent.connections)").with_hint("try again later");
    DialError::Refused { uri: uri.clone(), what, transient: false }
}

/// Something else listens there.
pub(super) fn unmanaged_guest(uri: &HostUri, port: u16) -> DialError {
    no_agent(uri, format!("something else than 'sysadm agent --listen' answers on port {port}"))
}

fn no_agent(uri: &HostUri, what: impl Into<Message>) -> DialError {
    DialError::NoAgent { uri: uri.clone(), what: what.into() }
}

fn identity(uri: &HostUri, credentials: &Credentials, fault: &CertificateError) -> DialError {
    let host = &uri.host;
    let what = Message::from(certificate_fault(fault, host, &credentials.authority()));
    // The folder is the same on every host.
    let new = format!(
        "make a new certificate with 'sysadm cert issue {host}', for /etc/sysadm/tls/host.pem and host.key there"
    );
    let what = match fault {
        CertificateError::NotValidForNameContext { presented, .. } => {
            what.with_hint(format!("use a name that it is for: {}", names(presented))).with_hint(new)
        }
        CertificateError::NotValidForName
        | CertificateError::Expired
        | CertificateError::ExpiredContext { .. } => what.with_hint(new),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            what.and(format!("the clock here says {}", Millis::now())).with_hint("set the clocks")
        }
        _ => what.with_hint("compare /etc/sysadm/tls/ca.pem on both hosts").with_hint(new),
    };
    DialError::Identity { uri: uri.clone(), what }
}

fn rejected(uri: &HostUri, credentials: &Credentials, alert: AlertDescription) -> DialError {
    use AlertDescription as Alert;
    let own = credentials.own();
    let (text, hint) = match alert {
        Alert::UnknownCA | Alert::DecryptError => (
            format!("our certificate {own} is not signed by the authority that it trusts"),
            "compare ca.pem on both hosts",
        ),
        Alert::CertificateExpired => {
            (format!("it considers our certificate {own} not valid now"), "compare the clocks of both hosts")
        }
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateUnknown
        | Alert::CertificateRequired
        | Alert::AccessDenied => {
            (format!("it does not accept our certificate {own} ({alert:?})"), "see the log of its agent")
        }
        Alert::ProtocolVersion => return no_agent(uri, "what answers there does not speak TLS 1.3"),
        _ => return no_agent(uri, format!("it ended the TLS handshake ({alert:?})")),
    };
    DialError::Login { uri: uri.clone(), what: Message::from(text).with_hint(hint) }
}

/// Why a peer that connected was refused.
pub(super) fn refusal(credentials: &Credentials, error: &io::Error) -> String {
    match tls_error(error) {
        Some(rustls::Error::NoCertificatesPresented) => "it showed no certificate".to_owned(),
        Some(rustls::Error::InvalidCertificate(fault)) => {
            certificate_fault(fault, "it", &credentials.authority())
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            format!("it does not want our certificate {} ({alert:?})", credentials.own())
        }
        Some(rustls::Error::InvalidMessage(_)) => "it does not speak TLS".to_owned(),
        Some(error) => error.to_string(),
        None => format!("it left within the TLS handshake ({error})"),
    }
}

fn certificate_fault(fault: &CertificateError, host: &str, authority: &str) -> String {
    match fault {
        // The first if the authority has another name, the second if it has the same name and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            format!("its certificate is not signed by the authority in {authority}")
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("its certificate expired on {}", date(not_after.as_secs()))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("its certificate is valid only from {} on", date(not_before.as_secs()))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("its certificate is not for {host}")
        }
        other => format!("its certificate is not accepted: {other}"),
    }
}

/// rustls prints `DnsName("h2")` or `IpAddress(10.0.0.1)`; people want `h2` and `10.0.0.1`.
fn names(presented: &[String]) -> String {
    let plain = |name: &String| {
        let inner = name.split_once('(').map_or(name.as_str(), |(_, inner)| inner.trim_end_matches(')'));
        inner.trim_matches('"').to_owned()
    };
    if presented.is_empty() {
        "no host".to_owned()
    } else {
        presented.iter().map(plain).collect::<Vec<_>>().join(", ")
    }
}

fn date(seconds: u64) -> Millis {
    Millis(i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX))
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
