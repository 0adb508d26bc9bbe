//! `sysadm zone detach`, `attach`, `create` and `delete`.

mod attach;
mod copies;
mod create;
mod detach;
mod editor;
mod interrupted;
mod moved;
mod software;

use std::process::Stdio;

use sysadm_model::{Manifest, document};

use crate::environment::Environment;
use crate::output::Printed;

/// h1 has a virtual machine and a container, h2 has nothing; both can access the storage `nfs`.
fn site() -> Environment {
    let site = Environment::new();
    site.make_zone("h1", "web1", |spec| spec.autostart = true);
    std::fs::create_dir_all(site.at("usr")).unwrap();
    let (zonepath, usr) = (site.at("nfs/box1"), site.at("usr"));
    site.done(
        "h1",
        &format!("sim create box1 --zonepath {} --inherit {}", zonepath.display(), usr.display()),
    );
    site
}

/// Pipes `from` on one host into `to` on another one.
fn pipe(site: &Environment, from: (&str, &str), to: (&str, &str)) -> Printed {
    let mut first = site.command(from.0, from.1).stdout(Stdio::piped()).spawn().unwrap();
    let mut second = site.command(to.0, to.1);
    second.stdin(first.stdout.take().unwrap());
    let printed = site.finish(second);
    assert!(first.wait().unwrap().success());
    printed
}

/// The document of a zone as it is, and the manifest in it.
fn document_of(site: &Environment, host: &str, zone: &str) -> (String, Manifest) {
    let output = site.command(host, &format!("zone detach -n {zone}")).output().unwrap();
    let manifest = document::read(&output.stdout, zone).unwrap();
    (String::from_utf8(output.stdout).unwrap(), manifest.0)
}

fn manifest_of(site: &Environment, path: &str) -> Manifest {
    document::read(&std::fs::read(site.at(path)).unwrap(), path).unwrap().0
}
