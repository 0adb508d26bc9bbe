//! A host whose guests cannot be listed never counts as empty or safe to reboot, and no command that needs the
//! list ends with status 0.

use std::os::unix::fs::PermissionsExt;

use crate::environment::Environment;

/// A host with libvirt whose virsh is this script; `$*` are its arguments.
fn host(script: &str) -> Environment {
    let site = Environment::new();
    std::fs::write(site.paths("h1").config(), "host = \"h1\"\n").unwrap();
    let virsh = site.at("bin/virsh");
    std::fs::create_dir_all(site.at("bin")).unwrap();
    std::fs::write(&virsh, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&virsh, std::fs::Permissions::from_mode(0o755)).unwrap();
    site
}

/// The output of each command, none of which may end with status 0.
fn refused(site: &Environment, lines: &[&str]) -> String {
    let mut all = String::new();
    for line in lines {
        let mut command = site.command("h1", line);
        command.env("PATH", site.at("bin"));
        let printed = site.finish(command);
        assert!(!matches!(printed.status, Some(0) | None), "{line}: {printed}");
        let text = printed.to_string();
        for claim in [
            "safe to reboot",
            "nothing to evacuate",
            "there are no zones on this host",
            "\"safe_to_reboot\": true",
        ] {
            assert!(!text.contains(claim), "{line}: {text}");
        }
        all.push_str(&text);
    }
    all
}

const COMMANDS: [&str; 12] = [
    "zone list",
    "zone list -cv",
    "evacuate",
    "evacuate -a",
    "evacuate -na",
    "evacuate web1",
    "evacuate -l",
    "evacuate -l --json",
    "target list",
    "target set web1 ssh://root@h2",
    "zone detach -n web1",
    "host inventory",
];

/// The error of libvirt if it does not answer.
const REFUSAL: &str = "echo 'error: failed to connect to the hypervisor' >&2";

#[test]
fn a_libvirt_that_does_not_answer_is_never_an_empty_host() {
    for (reason, script) in [
        (
            "Failed to connect socket",
            format!(
                "{REFUSAL}; echo \"error: Failed to connect socket to '/run/x': No such file or directory\" >&2; exit 1"
            ),
        ),
        (
            "no connection driver available",
            format!("{REFUSAL}; echo 'error: no connection driver available' >&2; exit 1"),
        ),
        (
            "authentication unavailable",
            format!("{REFUSAL}; echo 'error: authentication unavailable: no polkit agent' >&2; exit 1"),
        ),
        ("Segmentation fault", "echo 'Segmentation fault'".to_owned()),
        ("signal: 9", "kill -9 $$".to_owned()),
    ] {
        let site = host(&script);
        site.run("h1", "maintain -s");
        let said = refused(&site, &COMMANDS);
        assert!(said.contains(reason), "{said}");
        assert!(said.contains("in maintenance; cannot list the zones on this host"), "{said}");
        assert!(said.contains("\"safe_to_reboot\": false"), "{said}");
    }
}

#[test]
fn a_virsh_that_may_not_be_run_is_never_an_empty_host() {
    let site = host("exit 0");
    std::fs::remove_file(site.at("bin/virsh")).unwrap();
    std::fs::create_dir(site.at("bin/virsh")).unwrap();
    site.run("h1", "maintain -s");
    // If another virsh is found later in the path, its output is no answer either.
    refused(&site, &COMMANDS);
}

#[test]
fn containers_of_which_nobody_tells_are_not_passed_over() {
    let absent = "echo 'error: no connection driver available for lxc:///system' >&2; exit 1";
    let site = host(&format!("case \"$*\" in *lxc:*) {REFUSAL}; {absent};; esac"));
    site.run("h1", "maintain -s");
    // A host without containers has only virtual machines; here it has none.
    let mut command = site.command("h1", "evacuate -l");
    command.env("PATH", site.at("bin"));
    let printed = site.finish(command).to_string();
    assert!(printed.contains("empty, safe to reboot") && printed.contains("[done]"), "{printed}");
    for folder in ["etc/libvirt/lxc", "run/libvirt/lxc"] {
        let folder = site.at("h1").join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("ct.xml"), "").unwrap();
        let said = refused(&site, &COMMANDS);
        assert!(said.contains("libvirt does not answer, and this host may have lxc zones: "), "{said}");
        std::fs::remove_dir_all(&folder).unwrap();
        // A folder that cannot be read does not count as empty.
        std::fs::write(&folder, "").unwrap();
        refused(&site, &COMMANDS);
        std::fs::remove_file(&folder).unwrap();
    }
}

#[test]
fn a_guest_that_is_listed_and_of_which_nothing_is_told_runs() {
    // virsh continues after a failed command, and fails itself if the last one has failed.
    let script = r#"
case "$*" in
    *" list "*) echo "00511286-3319-4f84-a168-e5fcdfb0de45 1 web1" ;;
    *dominfo*)
        for last in "$@"; do :; done
        echo "$last" | sed 's/; /\n/g' | while read -r word rest; do
            case $word in
                echo) echo "${rest#--str }" ;;
                hostname) echo h1 ;;
                *) echo "error: access denied" >&2 ;;
            esac
        done ;;
    *) exit 1 ;;
esac"#;
    let site = host(script);
    site.run("h1", "maintain -s");
    let mut command = site.command("h1", "evacuate -l");
    command.env("PATH", site.at("bin"));
    let printed = site.finish(command).to_string();
    assert!(
        printed.contains("web1 runs and cannot be handled: libvirt lists the guest but does not describe it"),
        "{printed}"
    );
    assert!(printed.contains("1 zone(s) still running here: web1"), "{printed}");
}

#[test]
fn an_environment_with_nothing_in_it_is_as_good_as_any() {
    let site = host("exit 1");
    site.run("h1", "maintain -s");
    for (name, value) in [("PATH", None), ("PATH", Some("")), ("PATH", Some(".")), ("HOME", None)] {
        let mut command = site.command("h1", "evacuate -l --json");
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
        let printed = site.finish(command).to_string();
        // virsh is found in the system's folders, or its absence is reported: nothing is simulated.
        assert!(
            printed.contains("libvirt") || printed.contains("\"left\": {"),
            "{name} {value:?}: {printed}"
        );
    }
}
