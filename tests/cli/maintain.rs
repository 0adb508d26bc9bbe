//! `sysadm maintain`.

use insta::assert_snapshot;

use crate::environment::Environment;

#[test]
fn maintenance_is_started_listed_and_ended() {
    let site = Environment::new();
    assert_snapshot!(site.run("h1", "maintain -l"), @r"
    sysadm: not in maintenance
    [done]
    ");
    assert_snapshot!(site.run("h1", "maintain -s -m 'updating to new build'"), @"[done]");
    assert_snapshot!(site.run("h1", "maintain -l"), @r"
    TYPE   USER     DATE               MESSAGE
    admin  USER     YYYY-MM-DD HH:MM   updating to new build
    [done]
    ");
    assert_snapshot!(site.run("h1", "maintain -e"), @"[done]");
    assert_snapshot!(site.run("h1", "maintain -l"), @r"
    sysadm: not in maintenance
    [done]
    ");
}

#[test]
fn a_second_start_is_refused_and_says_who_holds_it_since_when() {
    let site = Environment::new();
    site.done("h1", "maintain -s -m first");
    assert_snapshot!(site.run("h1", "maintain -s -m second"), @r"
    ------- stderr -------
    sysadm: this host is in maintenance already: type 'admin', started by USER on YYYY-MM-DD HH:MM
    hint: to add a holder: --type NAME
    [exit status 4]
    ");
    assert!(site.run("h1", "maintain -l").stdout.contains("first"));
}

#[test]
fn an_end_without_a_start_says_so() {
    let site = Environment::new();
    assert_snapshot!(site.run("h1", "maintain -e"), @r"
    ------- stderr -------
    sysadm: not in maintenance (type 'admin')
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "maintain -e --type firmware"), @r"
    ------- stderr -------
    sysadm: not in maintenance (type 'firmware')
    [exit status 1]
    ");
}

#[test]
fn each_type_is_a_holder_of_its_own() {
    let site = Environment::new();
    site.done("h1", "maintain -s");
    site.done("h1", "maintain -s --type firmware -m 'a:b\\c'");
    assert_snapshot!(site.run("h1", "maintain -l"), @r"
    TYPE     USER     DATE               MESSAGE
    admin    USER     YYYY-MM-DD HH:MM   -
    firmware USER     YYYY-MM-DD HH:MM   a:b\c
    [done]
    ");
    assert_snapshot!(site.run("h1", "maintain -l -p -o type,message"), @r"
    admin:
    firmware:a\:b\\c
    [done]
    ");
    assert_snapshot!(site.run("h1", "maintain -e"), @r"
    ------- stderr -------
    sysadm: this host is still in maintenance: firmware since YYYY-MM-DD HH:MM by USER: a:b\c
    [done]
    ");
    assert_snapshot!(site.run("h1", "maintain -e --type firmware"), @"[done]");
    assert_snapshot!(site.run("h1", "maintain -s --type 'a b'"), @r#"
    ------- stderr -------
    sysadm: invalid value 'a b' for '--type <TYPE>': "a b" is not a maintenance type: 1 to 32 lower-case letters, digits and '-', a letter first
    [exit status 2]
    "#);
}

#[test]
fn fields_are_picked_and_wrong_ones_are_named() {
    let site = Environment::new();
    site.done("h1", "maintain -s -m 'new build'");
    assert_snapshot!(site.run("h1", "maintain -l -o MESSAGE,type"), @r"
    MESSAGE   TYPE
    new build admin
    [done]
    ");
    assert_snapshot!(site.run("h1", "maintain -l -o all"), @r"
    TYPE   USER     DATE               MESSAGE
    admin  USER     YYYY-MM-DD HH:MM   new build
    [done]
    ");
    assert_snapshot!(site.run("h1", "maintain -l -o type,colour"), @r#"
    ------- stderr -------
    sysadm: unknown field "colour"; there are: TYPE,USER,DATE,MESSAGE, or all
    [exit status 2]
    "#);
    assert_snapshot!(site.run("h1", "maintain -l -p"), @r"
    ------- stderr -------
    sysadm: the following required arguments were not provided:
      --output <FIELD,...>
    Usage: sysadm maintain --output <FIELD,...> --parsable <--start|--end|--list|--announce <WHEN>>
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "maintain -s -o type"), @r"
    ------- stderr -------
    sysadm: the argument '--start' cannot be used with '--output <FIELD,...>'
    Usage: sysadm maintain <--start|--end|--list|--announce <WHEN>>
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "maintain"), @r"
    ------- stderr -------
    sysadm: the following required arguments were not provided:
      <--start|--end|--list|--announce <WHEN>>
    Usage: sysadm maintain <--start|--end|--list|--announce <WHEN>>
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "maintain -s -e"), @r"
    ------- stderr -------
    sysadm: the argument '--start' cannot be used with '--end'
    Usage: sysadm maintain <--start|--end|--list|--announce <WHEN>>
    [exit status 2]
    ");
}

#[test]
fn a_message_cannot_steer_the_terminal() {
    let site = Environment::new();
    site.done("h1", "maintain -s -m '\u{1b}[31mred\nline'");
    assert_snapshot!(site.run("h1", "maintain -l -o message"), @r"
    MESSAGE
     [31mred line
    [done]
    ");
    assert_snapshot!(site.run("h1", "maintain -l -p -o message"), @r"
     [31mred line
    [done]
    ");
}

#[test]
fn the_lock_keeps_zones_from_starting() {
    let site = Environment::new();
    site.make_zone("h1", "web", |_| {});
    site.done("h1", "maintain -s");
    assert_snapshot!(site.run("h1", "sim start web"), @r"
    ------- stderr -------
    sysadm: this host is in maintenance: no zone boots or arrives here; see sysadm(8)
    [exit status 1]
    ");
    site.done("h1", "maintain -e");
    assert_snapshot!(site.run("h1", "sim start web"), @"[done]");
}

/// The administrator of a new host learns that nothing enforces maintenance yet.
#[test]
fn maintenance_that_libvirt_does_not_enforce_comes_with_a_warning() {
    let site = Environment::new();
    let _log = site.system_log("h1");
    std::fs::write(site.paths("h1").config(), "host = \"h1\"\nplatform = \"libvirt\"\n").unwrap();
    assert_snapshot!(site.run("h1", "maintain -s"), @r"
    ------- stderr -------
    sysadm: warning: libvirt does not enforce maintenance: the hook /SITE/h1/etc/libvirt/hooks/qemu.d/00-sysadm is not installed
    hint: install it: sysadm setup
    [done]
    ");
    site.done("h1", "maintain -e");
    site.done("h1", "setup");
    assert_snapshot!(site.run("h1", "maintain -s"), @"[done]");
}

#[test]
fn a_line_goes_to_the_system_log() {
    let site = Environment::new();
    let line = site.system_log("h1");
    site.done("h1", "maintain -s -m 'new\nbuild'");
    let line = line();
    assert!(line.contains("maintenance of type admin started by"), "{line}");
    assert!(line.ends_with("new build"), "{line:?}");
}

#[test]
fn a_marker_that_a_crash_left_is_pointed_out() {
    let site = Environment::new();
    site.done("h1", "maintain -s");
    std::fs::copy(site.paths("h1").lock_marker(), site.at("marker")).unwrap();
    site.done("h1", "maintain -e");
    std::fs::copy(site.at("marker"), site.paths("h1").lock_marker()).unwrap();
    assert_snapshot!(site.run("h1", "maintain -l"), @r"
    sysadm: not in maintenance
    ------- stderr -------
    sysadm: warning: a crash left a lock marker that still blocks zones from starting
    hint: 'sysadm maintain -e' removes it
    [done]
    ");
}

#[test]
fn maintenance_is_announced_listed_and_called_off_or_used_up() {
    let site = Environment::new();
    assert_snapshot!(site.run("h1", "maintain --announce +2h -m 'new disks'"), @"[done]");
    assert_snapshot!(site.run("h1", "maintain -l"), @r"
    sysadm: not in maintenance
    sysadm: maintenance announced by USER for YYYY-MM-DD HH:MM: new disks
    [done]
    ");
    assert_snapshot!(site.run("h1", "maintain -l -p -o type"), @"[done]");
    assert_snapshot!(site.run("h1", "maintain --announce '2199-01-31 02:00'"), @"[done]");
    assert_snapshot!(site.run("h1", "maintain -l"), @r"
    sysadm: not in maintenance
    sysadm: maintenance announced by USER for YYYY-MM-DD HH:MM
    [done]
    ");
    assert_snapshot!(site.run("h1", "maintain --announce none"), @"[done]");
    assert_snapshot!(site.run("h1", "maintain -l"), @r"
    sysadm: not in maintenance
    [done]
    ");
    site.done("h1", "maintain --announce +90min");
    assert_snapshot!(site.run("h1", "maintain -e"), @"[done]");
    assert_snapshot!(site.run("h1", "maintain -e"), @r"
    ------- stderr -------
    sysadm: not in maintenance (type 'admin')
    [exit status 1]
    ");
    site.done("h1", "maintain --announce +90min");
    site.done("h1", "maintain -s");
    assert_snapshot!(site.run("h1", "maintain -l"), @r"
    TYPE   USER     DATE               MESSAGE
    admin  USER     YYYY-MM-DD HH:MM   -
    [done]
    ");
    // The next maintenance is announced while this one is held.
    site.done("h1", "maintain --announce +90min");
    assert_snapshot!(site.run("h1", "maintain -l"), @r"
    TYPE   USER     DATE               MESSAGE
    admin  USER     YYYY-MM-DD HH:MM   -
    sysadm: maintenance announced by USER for YYYY-MM-DD HH:MM
    [done]
    ");
    site.done("h1", "maintain -e");
    assert_snapshot!(site.run("h1", "maintain -l"), @r"
    sysadm: not in maintenance
    sysadm: maintenance announced by USER for YYYY-MM-DD HH:MM
    [done]
    ");
}

#[test]
fn a_time_that_is_none_or_has_passed_is_not_announced() {
    let site = Environment::new();
    assert_snapshot!(site.run("h1", "maintain --announce tomorrow"), @r#"
    ------- stderr -------
    sysadm: invalid value 'tomorrow' for '--announce <WHEN>': "tomorrow" is not a time
    hint: write "YYYY-MM-DD HH:MM", +90min, +2h, or none
    [exit status 2]
    "#);
    assert_snapshot!(site.run("h1", "maintain --announce '2020-01-01 00:00'"), @r"
    ------- stderr -------
    sysadm: --announce: that time has passed
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "maintain -s --announce +2h"), @r"
    ------- stderr -------
    sysadm: the argument '--start' cannot be used with '--announce <WHEN>'
    Usage: sysadm maintain <--start|--end|--list|--announce <WHEN>>
    [exit status 2]
    ");
    assert!(!site.paths("h1").database().exists());
}

#[test]
fn a_host_with_announced_maintenance_is_no_destination() {
    let site = Environment::locked();
    site.done("h2", "maintain --announce +2h -m 'new disks'");
    assert_snapshot!(site.run("h1", "host check rads://h2"), @r"
    host        h2
    software    sysadm 0.1.0
    hypervisor  simulated 0.1.0
    machine     x86_64, 16 cpus
    memory      64G of 64G free
    state       in service; maintenance begins at YYYY-MM-DD HH:MM: new disks
    [exit status 4]
    ");
    assert_snapshot!(site.run("h1", "host list"), @r"
    TARGET                   PLATFORM  FREE   CPUS STATE
    rads://h2                sim       64G    16   in service; maintenance begins at YYYY-MM-DD HH:MM: new disks
    [done]
    ");
    assert_snapshot!(site.run("h1", "host inventory rads://h2"), @r"
    HOST                     FREE   MEMORY CPUS LOAD ZONES HYPERVISOR STATE
    rads://h2                64G    64G    16   0.0  0/0   0.1.0      in service; maintenance begins at YYYY-MM-DD HH:MM: new disks
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -n"), @r"
    sysadm: preparing zones for evacuation ... 3/3
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    evac1            kvm    -      rads://h2        -      -       -      -
    evac2            kvm    -      rads://h2        -      -       -      -
    evac3            kvm    -      rads://h2        -      -       -      -
    ------- stderr -------
    sysadm: evac1: rads://h2: h2 takes no more zones: its maintenance begins at YYYY-MM-DD HH:MM: new disks
    sysadm: evac2: rads://h2: h2 takes no more zones: its maintenance begins at YYYY-MM-DD HH:MM: new disks
    sysadm: evac3: rads://h2: h2 takes no more zones: its maintenance begins at YYYY-MM-DD HH:MM: new disks
    sysadm: dry-run failed: 3 of 3 zone(s) cannot move
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "plan --drain rads://h1 --to rads://h2"), @r"
    sysadm: 0 move(s) to 0 host(s), policy spread: estimated duration TIME (at most TIME; theoretical minimum TIME); 3 zone(s) could not be placed
    ------- stderr -------
    sysadm: evac1 stays on rads://h1: rads://h2: its maintenance begins at YYYY-MM-DD HH:MM: new disks
    sysadm: evac2 stays on rads://h1: rads://h2: its maintenance begins at YYYY-MM-DD HH:MM: new disks
    sysadm: evac3 stays on rads://h1: rads://h2: its maintenance begins at YYYY-MM-DD HH:MM: new disks
    [exit status 1]
    ");
}
