//! What keeps a site going: store, setup, cert, agent, completion.

use insta::assert_snapshot;

use super::help;

#[test]
fn help_of_store() {
    assert_snapshot!(help("store --help"), @r"
    Look after the database of this host

    In it is what must survive a crash or a reboot: who holds this host in maintenance, where zones go,
    which zones are away and how they were configured, and what was about to be done with each.

    Usage: sysadm store <COMMAND>

    Commands:
      check    Tell whether the database is whole, and what in it waits for somebody
      backup   Copy the database into a file, also while an evacuation writes to it
      recover  Save what can be read of a damaged database into a new one
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm store check
      sysadm store backup /root/sysadm-2026-11-21.db
      sysadm store recover

    FILES
      /var/lib/sysadm/sysadm.db    the database; sysadm.db-wal and sysadm.db-shm beside
                                   it belong to it, so copy it with 'backup' only
    [done]
    ");
}

#[test]
fn help_of_store_check() {
    assert_snapshot!(help("store check --help"), @r#"
    Tell whether the database is whole, and what in it waits for somebody

    Looks for damage first. If there is none: for records that contradict each other, for moves that
    were interrupted and not settled, for steps whose end is not recorded, for a lock marker that is
    there without maintenance or missing during it, and for what will settle itself. Each finding is a
    line that says what to do. Changes nothing, and may be used while an evacuation runs; what that
    works on is not judged.

    Usage: sysadm store check [OPTIONS]

    Options:
          --json
              One JSON document

      -h, --help
              Print help (see a summary with '-h')

    FINDINGS (--json: kind, and who is needed)
      damaged      backup    SQLite finds the file damaged, a row breaks the rules of its
                             table, or says what no sysadm writes; then nothing else is
                             looked at
      contradiction
                   backup    two records of a zone cannot both be true
      interrupted  operator  a zone was leaving, returning or being stopped when its run
                             died
      dangling     operator  how a step ended is not recorded, nor where its zone is
      marker       operator  /var/lib/sysadm/maintenance is there without maintenance, or
                             is missing during it
      unfinished   nobody    a run left a zone unfinished, which was settled since
      expired      nobody    a booking has expired; the next booking clears it away

    EXAMPLES
      sysadm store check
      sysadm store check --json | jq -r '.findings[] | select(.needs != "nobody").text'

    EXIT STATUS
      0  the database is whole, and nothing in it waits for you
      1  it cannot be looked at: locked, written by a newer sysadm, or no database
      2  wrong usage
      3  something waits for you
      5  it is damaged, or contradicts itself: where zones are cannot be told from it
    [done]
    "#);
}

#[test]
fn help_of_store_recover() {
    assert_snapshot!(help("store recover --help"), @r"
    Save what can be read of a damaged database into a new one

    Every row that is whole is saved, whichever other part of the file is damaged, and what is lost is
    named as far as that is known. The new database takes the place of the damaged one, which is kept
    beside it. Neither a run nor an agent may be at work. A backup, if there is one, has more.

    Usage: sysadm store recover

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      systemctl stop sysadm-agent
      sysadm store recover
      sysadm store check
      sysadm evacuate -l

    What is lost may be a zone that is away: it goes on where it is, and is not returned.
    Compare 'sysadm evacuate -l' with the zones that other hosts run before you return or
    start any.

    FILES
      /var/lib/sysadm/sysadm.db.damaged    the damaged file, with its journal (-wal); a
                                           further one is sysadm.db.damaged-2

    EXIT STATUS
      0  all was saved, or the database is not damaged
      1  it is no database, or in use; nothing was changed
      2  wrong usage
      3  something is lost, and named
      4  a run is at work
    [done]
    ");
}

#[test]
fn help_of_store_backup() {
    assert_snapshot!(help("store backup --help"), @r"
    Copy the database into a file, also while an evacuation writes to it

    The copy is the database as it is at one moment: one file, which only its owner can read, and which
    needs no other beside it. It is looked over before it gets its name, so FILE is a whole backup or
    not there. It holds the configurations of zones that are away.

    Usage: sysadm store backup <FILE>

    Arguments:
      <FILE>
              The copy; must not exist yet

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm store backup /root/sysadm-$(date +%F).db

    To put a backup back, let nothing run that uses the database:
      systemctl stop sysadm-agent
      rm -f /var/lib/sysadm/sysadm.db-wal /var/lib/sysadm/sysadm.db-shm
      install -m 600 FILE /var/lib/sysadm/sysadm.db
      sysadm store check
    What happened after the backup is not in it: compare 'sysadm evacuate -l' with the
    zones that other hosts run before you return or start any.

    EXIT STATUS
      0  FILE is a whole copy, and on the disk
      1  FILE exists already, or cannot be written, or the database is damaged; nothing
         was changed, and there is no new FILE
      2  wrong usage
    [done]
    ");
}

#[test]
fn help_of_setup() {
    assert_snapshot!(help("setup --help"), @r#"
    Make the hypervisor itself respect maintenance

    Installs a hook for each of libvirt's drivers. From then on libvirt refuses 'virsh start' and
    incoming migrations while maintenance is held. Hooks that are there already keep working. Installs
    the policies, too, to be read and edited; one that was edited stays as it is. Doing it again changes
    nothing.

    Usage: sysadm setup [OPTIONS]

    Options:
          --uninstall
              Take the hooks, and the policies that were not edited, away again

      -h, --help
              Print help (see a summary with '-h')

    FILES
      /etc/libvirt/hooks/qemu.d/00-sysadm
      /etc/libvirt/hooks/lxc.d/00-sysadm
      /etc/sysadm/policies/*.toml

    libvirt looks for new hooks only when it starts. After the first time:
      systemctl restart libvirtd        (virtqemud and virtlxcd, where there are those)
    [done]
    "#);
}

#[test]
fn help_of_cert() {
    assert_snapshot!(help("cert --help"), @r#"
    Make and show the certificates that rads:// needs

    Make an authority once for a site, issue a certificate for each host, and copy to each host its own
    HOST.pem and HOST.key as /etc/sysadm/tls/host.pem and host.key (0600), with ca.pem beside them.

    Usage: sysadm cert <COMMAND>

    Commands:
      init-ca  Make the authority of a site: ca.pem, and ca.key, which stays where it is
      issue    Issue a certificate for a host: HOST.pem and HOST.key
      show     Show what a certificate says; this host's own, if no file is named
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm cert init-ca --site example            once, on one host
      sysadm cert issue h2 h2.example.org 10.0.0.2  there too, for each host
      sysadm cert show                              this host's own
      sysadm cert show h2.pem

    FILES
      /etc/sysadm/tls/ca.pem      0644  the site's authority; on every host
      /etc/sysadm/tls/ca.key      0600  its key; on one host only
      /etc/sysadm/tls/host.pem    0644  this host's certificate
      /etc/sysadm/tls/host.key    0600  its key; refused if others can read it

    Nothing that exists is ever overwritten. A renewed certificate needs no restart.
    [done]
    "#);
}

#[test]
fn help_of_cert_init_ca() {
    assert_snapshot!(help("cert init-ca --help"), @r"
    Make the authority of a site: ca.pem, and ca.key, which stays where it is

    Usage: sysadm cert init-ca [OPTIONS]

    Options:
          --site <SITE>  The site's name [default: sysadm]
          --dir <DIR>    The folder; /etc/sysadm/tls if none is given
      -h, --help         Print help
    [done]
    ");
}

#[test]
fn help_of_cert_issue() {
    assert_snapshot!(help("cert issue --help"), @r#"
    Issue a certificate for a host: HOST.pem and HOST.key

    Usage: sysadm cert issue [OPTIONS] <HOST> [NAMES]...

    Arguments:
      <HOST>      The host, as it stands in rads://HOST; roles are given to it by this name
      [NAMES]...  More names and addresses of it

    Options:
          --days <DAYS>  For how many days it is valid [default: 730]
          --dir <DIR>    The folder of the authority; /etc/sysadm/tls if none is given
      -h, --help         Print help
    [done]
    "#);
}

#[test]
fn help_of_cert_show() {
    assert_snapshot!(help("cert show --help"), @r"
    Show what a certificate says; this host's own, if no file is named

    Usage: sysadm cert show [OPTIONS] [FILE]

    Arguments:
      [FILE]  A certificate

    Options:
          --json  One JSON document
      -h, --help  Print help
    [done]
    ");
}

#[test]
fn help_of_agent() {
    assert_snapshot!(help("agent --help"), @r#"
    Serve this host to other hosts

    Every host that zones may go to, or come back from, needs one. With --listen it waits for rads://
    connections, as a service of the system; with --stdio it serves the one who has started it over ssh.

    Usage: sysadm agent <--listen [<ADDR>]|--stdio>

    Options:
          --listen [<ADDR>]
              Wait for TLS connections on this address; every address, port 12302, if none is given here
              or in sysadm.toml

          --stdio
              Serve on standard input and output

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm agent --listen                  rads:// on every address, port 12302
      sysadm agent --listen 10.0.0.2:12302
      ssh root@h2 sysadm agent --stdio       what an ssh:// target comes to

    SIGTERM and SIGINT end it: nothing new is accepted, and what is open has ten seconds.
    [done]
    "#);
}

#[test]
fn help_of_completion() {
    assert_snapshot!(help("completion --help"), @r"
    Print a completion script for a shell

    For bash: sysadm completion bash > /etc/bash_completion.d/sysadm

    Usage: sysadm completion <SHELL>

    Arguments:
      <SHELL>
              The shell
              
              [possible values: bash, elvish, fish, powershell, zsh]

    Options:
      -h, --help
              Print help (see a summary with '-h')
    [done]
    ");
}
