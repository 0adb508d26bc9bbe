//! A container that shares a folder of its host goes only where the packages that deliver the folder are the same.

use crate::harness::{Host, Lab};

/// h1 with a container that reads `/opt/tool`, a folder that each host has for itself and to which package `tool`
/// delivers files, in these versions on h1 and h2.
fn lab(versions: [&str; 2]) -> Lab {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    for (name, version) in ["h1", "h2"].into_iter().zip(versions) {
        install(lab.host(name), version);
    }
    let h1 = lab.host("h1");
    h1.define_lxc("box");
    let shared =
        "<filesystem type='mount'><source dir='/opt/tool'/><target dir='/tool'/><readonly/></filesystem>";
    h1.redefine_lxc("box", "</devices>", &format!("{shared}</devices>"));
    h1.maintain();
    lab
}

/// Gives a host a package database of its own, with that one package in it.
fn install(host: Host<'_>, version: &str) {
    let dpkg = host.path("dpkg");
    std::fs::create_dir_all(dpkg.join("info")).unwrap();
    let state = "Status: install ok installed\nArchitecture: all";
    std::fs::write(dpkg.join("status"), format!("Package: tool\n{state}\nVersion: {version}\n\n")).unwrap();
    std::fs::write(dpkg.join("info/tool.list"), "/opt\n/opt/tool\n/opt/tool/run\n").unwrap();
    std::fs::create_dir_all(host.path("opt/tool")).unwrap();
    host.run(&["mount", "--bind", host.path("opt").to_str().unwrap(), "/opt"]).ends(0);
    host.run(&["mount", "--bind", dpkg.to_str().unwrap(), "/var/lib/dpkg"]).ends(0);
}

#[test]
fn a_container_goes_where_the_packages_that_it_shares_are_the_same_and_nowhere_else() {
    let lab = lab(["1.0-1", "1.0-2"]);
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    let finding = "tool: version mismatch (1.0-1 on h1, 1.0-2 on h2)";
    h1.sysadm(&["evacuate", "-na"]).ends(1).complains(&["box: ssh://root@h2: ", finding]);
    h1.sysadm(&["evacuate", "-a"]).ends(1).complains(&["box: failed: h2: ", finding]);
    lab.guests_are(&["h1: box (lxc) shut off", "h2:"]);

    std::fs::copy(h1.path("dpkg/status"), h2.path("dpkg/status")).unwrap();
    h1.sysadm(&["evacuate", "-a"]).ends(0);
    lab.guests_are(&["h1:", "h2: box (lxc) shut off"]);
    for host in [h1, h2] {
        let left = std::fs::read_dir(host.path("opt/tool")).unwrap().count();
        assert_eq!(left, 0, "nothing was written into the shared folder of {}", host.name);
    }
}
