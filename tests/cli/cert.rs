//! `sysadm cert`.

use insta::assert_snapshot;

use crate::environment::Environment;

#[test]
fn a_site_gets_its_authority_and_its_hosts_their_certificates() {
    let site = Environment::new();
    let dir = site.at("site").display().to_string();
    assert_snapshot!(site.run("h1", &format!("cert init-ca --site example --dir {dir}")), @r"
    sysadm: created /SITE/site/ca.pem, to be copied to every host, and /SITE/site/ca.key, which must stay on this host
    [done]
    ");
    assert_snapshot!(site.run("h1", &format!("cert issue h4 10.0.0.4 --days 10 --dir {dir}")), @r"
    sysadm: created /SITE/site/h4.pem and /SITE/site/h4.key
    ------- stderr -------
    hint: copy them to h4 as host.pem and host.key
    [done]
    ");
    assert_snapshot!(site.run("h1", &format!("cert show {dir}/h4.pem")), @r"
    subject   CN=h4
    names     h4, 10.0.0.4
    issuer    O=example, CN=sysadm CA
    valid     YYYY-MM-DD HH:MM to YYYY-MM-DD HH:MM
    sha256    FINGERPRINT
    [done]
    ");
    assert_snapshot!(site.run("h1", &format!("cert init-ca --dir {dir}")), @r"
    ------- stderr -------
    sysadm: /SITE/site/ca.pem already exists and is not overwritten
    hint: move it away first
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", &format!("cert issue h4 --dir {dir}")), @r"
    ------- stderr -------
    sysadm: /SITE/site/h4.pem already exists and is not overwritten
    hint: move it away first
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", &format!("cert issue 'h 5' --dir {dir}")), @r#"
    ------- stderr -------
    sysadm: "h 5" is neither a host name nor an address
    [exit status 1]
    "#);
}

#[test]
fn the_hosts_own_certificate_is_shown_and_its_absence_explained() {
    let site = Environment::new();
    assert_eq!(site.run("h1", "cert show --json").status, Some(0));
    std::fs::remove_file(site.at("h1/etc/sysadm/tls/host.pem")).unwrap();
    assert_snapshot!(site.run("h1", "cert show"), @r"
    ------- stderr -------
    sysadm: there is no /SITE/h1/etc/sysadm/tls/host.pem
    hint: name a file that holds a certificate
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "cert issue h4"), @r"
    ------- stderr -------
    sysadm: there is no /SITE/h1/etc/sysadm/tls/ca.key
    hint: run 'sysadm cert init-ca' once for the site, and issue certificates on the host where it was run
    [exit status 1]
    ");
    std::fs::write(site.at("junk.pem"), "junk").unwrap();
    assert_snapshot!(site.run("h1", &format!("cert show {}", site.at("junk.pem").display())), @r"
    ------- stderr -------
    sysadm: /SITE/junk.pem holds no usable certificate
    [exit status 1]
    ");
}
