//! `sysadm zone list`.

use insta::assert_snapshot;

use crate::environment::Environment;

#[test]
fn zones_are_listed_as_zoneadm_does_it() {
    let site = Environment::new();
    site.run_zone("h1", "web", |_| {});
    site.make_zone("h1", "old", |_| {});
    assert_snapshot!(site.run("h1", "zone list"), @r"
    global
    web
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone list -i"), @r"
    global
    old
    web
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone list -cv"), @r"
      ID NAME             STATUS      PATH                 BRAND      IP
       0 global           running     /                    linux      shared
       - old              installed   -                    kvm        excl
       1 web              running     -                    kvm        excl
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone list -inp"), @r"
    -:old:installed::UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU:kvm:excl:-::
    1:web:running::UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU:kvm:excl:-::
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone list -vp"), @r"
    ------- stderr -------
    error: the argument '-v' cannot be used with '-p'

    Usage: sysadm zone list -v

    For more information, try '--help'.
    [exit status 2]
    ");
}

#[test]
fn evacuated_zones_are_configured() {
    let site = Environment::empty();
    assert_snapshot!(site.run("h1", "zone list -cv"), @r"
      ID NAME             STATUS      PATH                 BRAND      IP
       0 global           running     /                    linux      shared
       - evac1            configured  -                    kvm        excl
       - evac2            configured  -                    kvm        excl
       - evac3            configured  -                    kvm        excl
       - evac4            configured  -                    kvm        excl
       - tzone1           configured  -                    lxc        excl
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone list -i"), @r"
    global
    [done]
    ");
    assert_snapshot!(site.run("h2", "zone list -icv"), @r"
      ID NAME             STATUS      PATH                 BRAND      IP
       0 global           running     /                    linux      shared
       1 evac1            running     -                    kvm        excl
       2 evac2            running     -                    kvm        excl
       3 evac3            running     -                    kvm        excl
       - evac4            installed   -                    kvm        excl
       - tzone1           installed   -                    lxc        excl
    [done]
    ");
}
