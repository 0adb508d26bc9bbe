//! Things that are broken before anything begins: one line that names the thing, hints what to do, the right
//! exit status, nothing changed, nothing lost.

use rusqlite::Connection;

use crate::harness::{Host, Lab, assert_same, dump};

/// A host in maintenance with a running zone, and a destination.
fn lab(target: &str) -> Lab {
    let lab = Lab::with_default_target(&["h1", "h2"], target);
    lab.host("h1").run_kvm(&["web"], &[]);
    lab.host("h1").maintain();
    lab
}

/// Every way of going to h2 fails with these words, and changes nothing.
#[track_caller]
fn going_fails(lab: &Lab, target: &str, words: &[&str]) {
    let h1 = lab.host("h1");
    let before = lab.location();
    h1.sysadm(&["host", "check", target]).ends(1).complains_in_one_line(&[&[target], words].concat());
    h1.sysadm(&["evacuate", "-n"]).ends(1).complains(words);
    let failed = h1.sysadm(&["evacuate"]).ends(1);
    let mut lines = failed.complaints().skip_while(|line| !line.starts_with("sysadm: web: failed: "));
    let fact = lines.next().unwrap_or_else(|| panic!("no line about web\n{failed:?}"));
    let lines: Vec<_> =
        [fact].into_iter().chain(lines.take_while(|line| line.starts_with("hint: "))).collect();
    let lines = lines.join("\n");
    words.iter().for_each(|word| assert!(lines.contains(word), "{word:?} in {lines:?}"));
    assert_eq!(lab.location(), before);
}

// ---- the way to the other host ---------------------------------------------------------------------

#[test]
fn a_host_that_is_cut_off_is_named_within_the_timeout() {
    let lab = lab("ssh://root@h2");
    lab.host("h1").configure("[connect]\ntimeout = 2\n");
    lab.host("h2").cut();
    going_fails(&lab, "ssh://root@h2", &["ssh://root@h2"]);
}

#[test]
fn a_host_without_an_agent_that_listens_is_named() {
    let lab = lab("rads://h2");
    lab.certificates();
    going_fails(&lab, "rads://h2", &["rads://h2", "refused"]);
}

#[test]
fn a_host_whose_name_is_unknown_is_named() {
    let lab = lab("ssh://root@nowhere");
    going_fails(&lab, "ssh://root@nowhere", &["ssh://root@nowhere"]);
}

#[test]
fn a_host_with_a_changed_key_is_not_trusted() {
    let lab = lab("ssh://root@h2");
    let h1 = lab.host("h1");
    let known = h1.path("ssh/known_hosts");
    let text = std::fs::read_to_string(&known).unwrap();
    let key = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().split_once(' ').unwrap();
    let wrong = format!("{} {}\n", key("h2,").0, key("h1,").1);
    std::fs::write(&known, &wrong).unwrap();
    going_fails(&lab, "ssh://root@h2", &["not the one", "ssh-keygen -R"]);
    assert_eq!(std::fs::read_to_string(&known).unwrap(), wrong, "known_hosts is the operator's");
}

#[test]
fn a_host_with_an_unknown_key_is_not_trusted() {
    let lab = lab("ssh://root@h2");
    std::fs::write(lab.host("h1").path("ssh/known_hosts"), "").unwrap();
    going_fails(&lab, "ssh://root@h2", &["known_hosts", "ssh-keyscan"]);
}

#[test]
fn a_host_that_does_not_let_us_in_is_named() {
    let lab = lab("ssh://root@h2");
    std::fs::write(lab.host("h2").path("ssh/authorized_keys"), "").unwrap();
    going_fails(&lab, "ssh://root@h2", &["did not accept", "id_ed25519"]);
}

#[test]
fn a_host_without_sysadm_is_named() {
    let lab = lab("ssh://root@h2");
    lab.host("h1").configure("[ssh]\nagent = \"no-such-agent --stdio\"\n");
    going_fails(&lab, "ssh://root@h2", &["no agent there", "no-such-agent"]);
}

#[test]
fn something_else_than_an_agent_is_not_spoken_to() {
    let lab = lab("ssh://root@h2");
    lab.host("h1").configure("[ssh]\nagent = \"echo welcome to this machine; sleep 30\"\n");
    going_fails(&lab, "ssh://root@h2", &["ssh://root@h2", "no agent there"]);
}

/// Gives a host an expired certificate of the lab's authority; `sysadm cert` does not make such.
fn let_expire(lab: &Lab, host: Host<'_>) {
    let read = |file| std::fs::read_to_string(lab.authority().join(file)).unwrap();
    let key = rcgen::KeyPair::from_pem(&read("ca.key")).unwrap();
    let mut authority = rcgen::CertificateParams::default();
    authority.distinguished_name = rcgen::DistinguishedName::new();
    authority.distinguished_name.push(rcgen::DnType::OrganizationName, "sysadm");
    authority.distinguished_name.push(rcgen::DnType::CommonName, "sysadm CA");
    let issuer = rcgen::Issuer::new(authority, key);
    let mut about = rcgen::CertificateParams::new([host.name.to_owned()]).unwrap();
    about.distinguished_name.push(rcgen::DnType::CommonName, host.name);
    about.not_before = rcgen::date_time_ymd(2020, 1, 1);
    about.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let own = rcgen::KeyPair::generate().unwrap();
    let certificate = about.signed_by(&own, &issuer).unwrap();
    std::fs::write(host.path("etc/sysadm/tls/host.pem"), certificate.pem()).unwrap();
    std::fs::write(host.path("etc/sysadm/tls/host.key"), own.serialize_pem()).unwrap();
}

#[test]
fn an_expired_certificate_is_named_on_either_side() {
    let lab = lab("rads://h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h2.agent();
    let_expire(&lab, h2);
    going_fails(&lab, "rads://h2", &["rads://h2", "expired on 2021-01-01"]);
    h2.sysadm(&["agent", "--listen", "[::]:12303"]).ends(1).complains_in_one_line(&["expired", "cert issue"]);
    h2.install_certificate(&lab.authority());
    let_expire(&lab, h1);
    going_fails(&lab, "rads://h2", &["rads://h2", "/etc/sysadm/tls/host.pem", "expired", "cert issue"]);
    h1.install_certificate(&lab.authority());
    h1.sysadm(&["evacuate"]).ends(0);
}

#[test]
fn a_certificate_of_another_authority_gets_nothing() {
    let lab = lab("rads://h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h2.agent();
    let other = lab.folder().join("other");
    lab.certify(&["init-ca"], &other);
    lab.certify(&["issue", "h1"], &other);
    // It trusts h2 and is not trusted by it.
    h1.install_certificate(&other);
    std::fs::copy(lab.authority().join("ca.pem"), h1.path("etc/sysadm/tls/ca.pem")).unwrap();
    going_fails(&lab, "rads://h2", &["rads://h2"]);
    // It is trusted and does not trust h2.
    h1.install_certificate(&lab.authority());
    std::fs::copy(other.join("ca.pem"), h1.path("etc/sysadm/tls/ca.pem")).unwrap();
    going_fails(&lab, "rads://h2", &["rads://h2"]);
}

#[test]
fn a_host_without_certificates_says_how_they_are_made() {
    let lab = lab("rads://h2");
    going_fails(&lab, "rads://h2", &["/etc/sysadm/tls", "sysadm cert"]);
}

#[test]
fn a_peer_that_may_only_look_cannot_send_zones() {
    let lab = lab("rads://h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h2.configure("[roles]\nh1 = \"observe\"\n");
    h2.agent();
    lab.certificates();
    h1.sysadm(&["host", "check", "rads://h2"]).ends(0);
    h1.sysadm(&["evacuate"]).ends(1).complains(&["web: failed: ", "h2 does not allow h1", "role 'migrate'"]);
    lab.guests_are(&["h1: web running", "h2:"]);
}

// ---- the hypervisor --------------------------------------------------------------------------------

#[test]
fn a_libvirtd_that_is_down_here_is_named() {
    let lab = lab("ssh://root@h2");
    let h1 = lab.host("h1");
    h1.libvirtd("stop");
    for command in [&["evacuate"][..], &["evacuate", "-n"], &["zone", "list"]] {
        h1.sysadm(command).ends(1).complains_in_one_line(&["libvirt"]);
    }
    let list = h1.sysadm(&["evacuate", "-l"]).ends(1);
    assert!(!list.stdout.contains("safe to reboot"), "{list:?}");
    h1.libvirtd("start");
    lab.guests_are(&["h1: web running", "h2:"]);
    h1.sysadm(&["evacuate"]).ends(0);
}

#[test]
fn a_libvirtd_that_is_down_there_is_named() {
    let lab = lab("ssh://root@h2");
    let h2 = lab.host("h2");
    h2.libvirtd("stop");
    let failed = lab.host("h1").sysadm(&["evacuate"]).ends(1);
    failed.complains(&["web: failed: h2: ", "libvirt"]);
    h2.libvirtd("start");
    lab.guests_are(&["h1: web running", "h2:"]);
}

// ---- the store -------------------------------------------------------------------------------------

/// Every command says the same about the store, and nothing changes.
#[track_caller]
fn all_fail(host: Host<'_>, commands: &[&[&str]], words: &[&str]) {
    for command in commands {
        host.sysadm(command).ends(1).complains_in_one_line(words);
    }
}

const WRITERS: [&[&str]; 5] = [
    &["maintain", "-s", "--type", "other"],
    &["maintain", "-e"],
    &["target", "set", "web", "ssh://root@h2"],
    &["evacuate"],
    &["evacuate", "-r"],
];
const READERS: [&[&str]; 2] = [&["maintain", "-l"], &["evacuate", "-l"]];

#[test]
fn a_database_that_somebody_locks_is_named_and_waited_for_five_seconds() {
    let lab = lab("ssh://root@h2");
    let h1 = lab.host("h1");
    // A host that is asked for the first time creates its database.
    h1.sysadm(&["host", "check", "ssh://root@h2"]).ends(0);
    let before = dump(&lab);
    let connection = Connection::open(h1.database()).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let words = ["/var/lib/sysadm/sysadm.db has been locked"];
    all_fail(h1, &[WRITERS[1], WRITERS[2], WRITERS[3]], &words);
    for command in READERS {
        h1.sysadm(command).ends(0);
    }
    drop(connection);
    assert_same(&before, &dump(&lab));
    h1.sysadm(&["evacuate"]).ends(0);
}

#[test]
fn a_database_that_cannot_be_written_is_named() {
    let lab = lab("ssh://root@h2");
    let h1 = lab.host("h1");
    let before = dump(&lab);
    h1.run(&["mount", "-o", "remount,bind,ro", "/var/lib/sysadm"]).ends(0);
    all_fail(h1, &WRITERS, &["/var/lib/sysadm"]);
    h1.sysadm(&["maintain", "-l"]).ends(0).says(&["admin"]);
    h1.sysadm(&["evacuate", "-l"]).ends(0).says(&["1 zone(s) still running here"]);
    h1.run(&["mount", "-o", "remount,bind,rw", "/var/lib/sysadm"]).ends(0);
    assert_same(&before, &dump(&lab));
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let lab = lab("ssh://root@h2");
    let h1 = lab.host("h1");
    Connection::open(h1.database()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = dump(&lab);
    all_fail(h1, &WRITERS, &["sysadm.db", "version 99", "newer"]);
    all_fail(h1, &READERS, &["sysadm.db", "version 99", "newer"]);
    assert_same(&before, &dump(&lab));
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let lab = lab("ssh://root@h2");
    let h1 = lab.host("h1");
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(h1.path(&format!("var/lib/sysadm/sysadm.db{end}")));
    }
    let text = "this is not a database, whatever its name says\n".repeat(100);
    std::fs::write(h1.database(), &text).unwrap();
    all_fail(h1, &WRITERS, &["sysadm.db is not a database"]);
    all_fail(h1, &READERS, &["sysadm.db is not a database"]);
    assert_eq!(std::fs::read_to_string(h1.database()).unwrap(), text);
    lab.guests_are(&["h1: web running", "h2:"]);
}

/// Replaces the host's /var/lib/sysadm by a small disk with the same files.
fn small_disk(host: Host<'_>) {
    let script = "cp -a /var/lib/sysadm /root/.ssh/kept && mount -t tmpfs -o size=1m none /var/lib/sysadm \
                  && cp -a /root/.ssh/kept/. /var/lib/sysadm/";
    host.run(&["sh", "-c", script]).ends(0);
}

fn fill(host: Host<'_>) {
    host.run(&["sh", "-c", "cat /dev/zero >/var/lib/sysadm/filler 2>/dev/null; sync"]);
}

#[test]
fn a_full_disk_here_is_named_and_the_lock_is_as_it_was() {
    let lab = lab("ssh://root@h2");
    let h1 = lab.host("h1");
    small_disk(h1);
    fill(h1);
    for command in [WRITERS[0], WRITERS[2], WRITERS[3]] {
        let failed = h1.sysadm(command).ends(1);
        failed.complains_in_one_line(&["/var/lib/sysadm"]);
    }
    h1.sysadm(&["maintain", "-l", "-p", "-o", "TYPE"]).ends(0).says(&["admin\n"]);
    lab.guests_are(&["h1: web running", "h2:"]);
    h1.run(&["rm", "/var/lib/sysadm/filler"]).ends(0);
    h1.sysadm(&["evacuate"]).ends(0);
    lab.guests_are(&["h1:", "h2: web running"]);
}

#[test]
fn a_full_disk_there_is_named() {
    let lab = lab("ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.sysadm(&["host", "check", "ssh://root@h2"]).ends(0);
    small_disk(h2);
    fill(h2);
    let failed = h1.sysadm(&["evacuate"]).ends(1);
    failed.complains(&["web: failed: ", "h2", "/var/lib/sysadm"]);
    lab.guests_are(&["h1: web running", "h2:"]);
    h2.run(&["rm", "/var/lib/sysadm/filler"]).ends(0);
    h1.sysadm(&["evacuate"]).ends(0);
    lab.guests_are(&["h1:", "h2: web running"]);
}
