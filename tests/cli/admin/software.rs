//! The software report of `zone attach`: that of PSARC 2006/030, on simulated hosts with package databases of
//! Solaris 10.

use insta::assert_snapshot;

use crate::environment::Environment;

/// A package of a host, with one file in `/usr`.
fn install(site: &Environment, host: &str, packages: &[(&str, &str, &str)]) {
    let mut contents = String::new();
    for (name, version, patches) in packages {
        let folder = site.at(host).join("var/sadm/pkg").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("pkginfo"), format!("VERSION={version}\nPATCHLIST={patches}\n")).unwrap();
        contents += &format!("/usr/lib/{name} f none 0755 root bin 1 1 1 {name}\n");
    }
    let folder = site.at(host).join("var/sadm/install");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("contents"), contents).unwrap();
}

/// A container on h1 that shares `/usr` with its host is detached, and h2 has its manifest. The source has older
/// packages than h2, and one that h2 does not have; these are the version and the patches of SUNWcsu there.
fn detached(version: &str, patches: &str) -> Environment {
    let site = Environment::new();
    let source = [("SUNWcsu", version, patches), ("SUNWgone", "1.0", ""), ("SUNWsame", "2.0", "")];
    install(&site, "h1", &source);
    let local = [("SUNWcsu", "11.10.1", "118666-20"), ("SUNWnew", "3.0", ""), ("SUNWsame", "2.0", "")];
    install(&site, "h2", &local);
    let zonepath = site.at("nfs/box");
    site.done("h1", &format!("sim create box --brand lxc --zonepath {} --inherit /usr", zonepath.display()));
    site.done("h1", "zone detach box");
    site.done("h2", &format!("zone create box -a {}", zonepath.display()));
    site
}

#[test]
fn what_is_different_is_told_in_the_order_and_the_words_of_the_proposal() {
    let site = detached("11.10.0", "118666-18 119254-02");
    assert_snapshot!(site.run("h2", "zone attach box"), @r"
    ------- stderr -------
    sysadm: zone 'box' was not attached to h2:
    These packages installed on the source system are inconsistent with this system:
    	SUNWcsu: version mismatch
    		(11.10.0)
    		(11.10.1)
    	SUNWgone (1.0) is not installed
    These packages installed on this system were not installed on the source system:
    	SUNWnew (3.0) was not installed
    These patches installed on the source system are inconsistent with this system:
    	118666: version mismatch
    		(18) (20)
    	119254-02 is not installed
    [exit status 1]
    ");
    assert!(site.run("h2", "zone list -cnp").stdout.contains(":box:configured:"));
    assert_snapshot!(site.run("h2", "zone attach --json box"), @r#"
    {
      "changes": [],
      "findings": [
        {
          "kind": "software",
          "reason": "SUNWcsu: version mismatch (11.10.0 on its source, 11.10.1 on h2)"
        },
        {
          "kind": "software",
          "reason": "SUNWgone: not installed on h2 (1.0 on its source)"
        },
        {
          "kind": "software",
          "reason": "SUNWnew: not installed on its source (3.0 on h2)"
        },
        {
          "kind": "software",
          "reason": "patch 118666: version mismatch (18 on its source, 20 on h2)"
        },
        {
          "kind": "software",
          "reason": "patch 119254: not installed on h2 (02 on its source)"
        }
      ],
      "fits": false,
      "host": "h2",
      "notes": [],
      "schema_version": 1,
      "software": {
        "local": "svr4",
        "packages": [
          {
            "local": "11.10.1",
            "name": "SUNWcsu",
            "source": "11.10.0"
          },
          {
            "local": null,
            "name": "SUNWgone",
            "source": "1.0"
          },
          {
            "local": "3.0",
            "name": "SUNWnew",
            "source": null
          }
        ],
        "patches": [
          {
            "local": "20",
            "name": "118666",
            "source": "18"
          },
          {
            "local": null,
            "name": "119254",
            "source": "02"
          }
        ],
        "source": "svr4"
      },
      "zone": "box"
    }
    [exit status 1]
    "#);
}

#[test]
fn an_update_is_told_and_never_takes_anything_down() {
    let update = |version, patches| detached(version, patches).run("h2", "zone attach -u box").to_string();
    let told = |version, patches| {
        let told = update(version, patches);
        told.lines().filter(|line| line.contains("update")).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(told("11.10.0", "118666-18"), @r"
    an update would have to upgrade SUNWcsu from 11.10.0 to 11.10.1; sysadm cannot do this
    an update would have to remove SUNWgone 1.0; sysadm cannot do this
    an update would have to install SUNWnew 3.0; sysadm cannot do this
    ");
    assert_snapshot!(told("11.10.2", "118666-18"), @"sysadm: zone 'box' cannot be updated: newer in the zone than on this system: SUNWcsu");
    assert_snapshot!(told("11.10.0", "118666-18 119254-02"), @r"
    an update would have to upgrade SUNWcsu from 11.10.0 to 11.10.1; sysadm cannot do this
    an update would have to remove SUNWgone 1.0; sysadm cannot do this
    an update would have to install SUNWnew 3.0; sysadm cannot do this
    ");
}

#[test]
fn whoever_forces_it_gets_the_zone_whatever_is_different() {
    let site = detached("11.10.0", "118666-18");
    assert_snapshot!(site.run("h2", "zone attach -F box"), @r"
    ------- stderr -------
    sysadm: zone 'box' was attached, validation skipped (-F)
    [done]
    ");
    assert_eq!(site.location("box"), "h2 installed");
}

#[test]
fn a_package_with_an_odd_version_is_a_package_with_that_version() {
    let site = Environment::new();
    let packages = [("MMperltk", "release 1.0", ""), ("SUNWodd", "", ""), ("SUNWsame", "2.0", "")];
    for host in ["h1", "h2"] {
        install(&site, host, &packages);
    }
    let zonepath = site.at("nfs/ct");
    site.done("h1", &format!("sim create ct --brand lxc --zonepath {} --inherit /usr", zonepath.display()));
    let (text, manifest) = super::document_of(&site, "h1", "ct");
    assert!(text.contains("\"release 1.0\"") && !text.contains("(unknown)"), "{text}");
    let packages = manifest.software.unwrap().packages;
    let version = |name: &str| packages.iter().find(|one| one.name == name).unwrap().version.clone();
    assert_eq!((version("MMperltk"), version("SUNWsame")), ("release 1.0".to_owned(), "2.0".to_owned()));
    assert!(version("SUNWodd").ends_with(": an empty version)"), "{}", version("SUNWodd"));
    // It fits on the same host, and on one with the same files.
    for host in ["h1", "h2"] {
        let printed = super::pipe(&site, ("h1", "zone detach -n ct"), (host, "zone attach -n -"));
        assert_eq!(printed.status, Some(0), "{host}: {printed}");
    }
    // A different invalid version is not the same.
    install(&site, "h2", &[("MMperltk", "release 1.1", ""), ("SUNWodd", "(1)", ""), ("SUNWsame", "2.0", "")]);
    let printed = super::pipe(&site, ("h1", "zone detach -n ct"), ("h2", "zone attach -n -")).to_string();
    assert!(
        printed.contains("MMperltk: version mismatch\n\t\t(release 1.0)\n\t\t(release 1.1)"),
        "{printed}"
    );
    assert!(printed.contains("SUNWodd: version mismatch") && !printed.contains("SUNWsame"), "{printed}");
}
