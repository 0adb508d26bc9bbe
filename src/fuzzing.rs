//! The readers of outside data for the crate in `fuzz/`, since most of them are private. None may panic or hang,
//! whatever it reads.

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

/// Host URIs, addresses and zone names. One that is taken reads back as the same.
pub fn uri(text: &str) {
    let same = |taken: Option<HostUri>| taken.is_none_or(|uri| uri.to_string().parse() == Ok(uri));
    assert!(same(text.parse().ok()), "it reads back as another one");
    let same = |taken: Option<ZoneName>| taken.is_none_or(|name| name.to_string().parse() == Ok(name));
    assert!(same(ZoneName::of_platform(text).ok()), "it reads back as another name");
    let _ = (text.parse::<Address>(), ZoneName::typed(text));
}

/// What comes over the network: one frame, and what may be in it.
pub fn wire(bytes: &[u8]) {
    use futures_util::FutureExt;
    // From memory, all of it is there at once.
    let read = |mut bytes: &[u8]| frame::read::<serde_json::Value>(&mut bytes, 1 << 20).now_or_never();
    let Some(Ok(value)) = read(bytes) else { return };
    let _ = serde_json::from_value::<Hello>(value.clone());
    let _ = serde_json::from_value::<Welcome>(value.clone());
    let _ = serde_json::from_value::<rpc::Reply>(value.clone());
    if let Ok(rpc::Request::Call { call, .. }) = serde_json::from_value(value) {
        let _ = serde_json::from_value::<crate::host::Call>(call);
    }
}

/// A manifest, and the configuration in it.
pub fn manifest(text: &str) {
    if let Ok(manifest) = serde_json::from_str::<Manifest>(text) {
        libvirt::read_domain(&manifest.config, Some(&manifest.zone));
    }
}

/// The document of a manifest. One that is read can be written, and reads back as the same.
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

/// What zonecfg exports. What is read prints as what reads back as the same.
pub fn zonecfg(text: &str) {
    if let Ok(config) = text.parse::<Zonecfg>() {
        assert_eq!(config.to_string().parse(), Ok(config));
    }
}

/// `sysadm.toml`.
pub fn config(text: &str) {
    if let Err(what) = Config::parse(text) {
        assert!(!what.contains('\n'), "more than one line");
    }
}

/// A policy. What is wrong with one can be shown, and what is right can be explained.
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

/// Everything else that virsh prints.
pub fn virsh(text: &str) {
    for brand in [Brand::KVM, Brand::LXC] {
        libvirt::read_output(brand, text);
    }
}

/// A cluster of Ganeti, which is placed and written, and is a cluster again.
pub fn ganeti(text: &str) {
    let Ok(cluster) = Cluster::parse(text) else { return };
    let rules = Rules { steps: 200, ..Cluster::rules() };
    let placement = plan::place(&cluster.fleet(), &rules, &cluster.question());
    assert!(Cluster::parse(&cluster.with(&placement)).is_ok(), "what was written is not read");
}

/// The pages of a damaged database.
pub fn database(bytes: &[u8]) {
    store::read_anything(bytes);
}

/// What a packaging system keeps or prints, one target for each: the database is a file of another program.
pub fn software(system: System, bytes: &[u8]) {
    software::read_anything(system, bytes);
}
