//! The parsers of external data, for the crate in `fuzz/`: most of them are private. None may panic or hang on
//! any input.

use crate::config::Config;
pub use crate::model::System;
use crate::model::zonecfg::Zonecfg;
use crate::model::{Address, Brand, HostUri, Manifest, ZoneName, document};
use crate::plan::ganeti::Cluster;
use crate::plan::{self, Rules};
use crate::platform::libvirt;
use crate::policy;
use crate::software;
use crate::store;
use crate::transport::hello::{Hello, Welcome};
use crate::transport::{frame, rpc};

/// Host URIs, addresses and zone names. What is accepted prints as text that parses as the same.
pub fn uri(text: &str) {
    let same = |taken: Option<HostUri>| taken.is_none_or(|uri| uri.to_string().parse() == Ok(uri));
    assert!(same(text.parse().ok()), "it reads back as another one");
    let same = |taken: Option<ZoneName>| taken.is_none_or(|name| name.to_string().parse() == Ok(name));
    assert!(same(ZoneName::of_platform(text).ok()), "it reads back as another name");
    let _ = (text.parse::<Address>(), ZoneName::typed(text));
}

/// Network data: one frame, and the messages in it.
pub fn wire(bytes: &[u8]) {
    use futures_util::FutureExt;
    // In memory all bytes are available at once.
    let read = |mut bytes: &[u8]| frame::read::<serde_json::Value>(&mut bytes, 1 << 20).now_or_never();
    let Some(Ok(value)) = read(bytes) else { return };
    let _ = serde_json::from_value::<Hello>(value.clone());
    let _ = serde_json::from_value::<Welcome>(value.clone());
    let _ = serde_json::from_value::<rpc::Reply>(value.clone());
    if let Ok(rpc::RpcRequest::Call { call, .. }) = serde_json::from_value(value) {
        let _ = serde_json::from_value::<crate::host::Call>(call);
    }
}

pub fn manifest(text: &str) {
    if let Ok(manifest) = serde_json::from_str::<Manifest>(text) {
        libvirt::read_domain(&manifest.config, Some(&manifest.zone));
    }
}

/// A manifest as a document. What is read can be written, and reads back as the same.
pub fn document(bytes: &[u8]) {
    match document::read(bytes, "fuzz") {
        Ok((manifest, written)) => {
            if let Ok(text) = document::write(&manifest, &written) {
                assert_eq!(document::read(text.as_bytes(), "fuzz"), Ok((manifest, written)));
            }
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control), "it steers the terminal"),
    }
}

/// An export of zonecfg(8). What is parsed prints as text that parses as the same.
pub fn zonecfg(text: &str) {
    if let Ok(config) = text.parse::<Zonecfg>() {
        assert_eq!(config.to_string().parse(), Ok(config));
    }
}

pub fn config(text: &str) {
    if let Err(what) = Config::parse(text) {
        assert!(!what.contains('\n'), "more than one line");
    }
}

/// A policy. Every error can be shown, and every valid policy explained.
pub fn policy(text: &str) {
    match policy::parse(text) {
        Ok(policy) => assert!(!policy::explain(&policy).is_empty(), "nothing is said of it"),
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty(), "nothing is wrong");
            let shown = diagnostics.iter().flat_map(policy::Diagnostic::picture);
            shown.for_each(|line| assert!(!line.contains(char::is_control), "it steers the terminal"));
        }
    }
}

/// The XML of a domain, as virsh prints it.
pub fn domain(text: &str) {
    libvirt::read_domain(text, None);
}

/// All other output of virsh.
pub fn virsh(text: &str) {
    for brand in [Brand::KVM, Brand::LXC] {
        libvirt::read_output(brand, text);
    }
}

/// A cluster of Ganeti: it is placed and written, and can be read again.
pub fn ganeti(text: &str) {
    let Ok(cluster) = Cluster::parse(text) else { return };
    let rules = Rules { steps: 200, ..Cluster::rules() };
    let placement = plan::place(&cluster.fleet(), &rules, &cluster.question());
    assert!(Cluster::parse(&cluster.with(&placement)).is_ok(), "what was written is not read");
}

/// A damaged database.
pub fn database(bytes: &[u8]) {
    store::read_anything(bytes);
}

/// The database or output of a packaging system; a fuzz target for each.
pub fn software(system: System, bytes: &[u8]) {
    software::read_anything(system, bytes);
}
