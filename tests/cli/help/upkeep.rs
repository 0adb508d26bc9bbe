//! Commands for the upkeep of a site: store, setup, cert, agent, completion.

use insta::assert_snapshot;

use super::help;

#[test]
fn help_of_store() {
    assert_snapshot!(help("store --help"), @r"
    Check, back up and recover the database of this host

    The database holds what must survive a crash or a reboot: maintenance, targets, evacuated zones with
    their configurations, and a journal of every move.

    Usage: sysadm store <COMMAND>

    Commands:
      check    Check database integrity, and list records that need attention
      backup   Back up the database to a file, even during an evacuation
      recover  Recover what can be read of a damaged database
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm store check
      sysadm store backup /root/sysadm-2026-11-21.db
      sysadm store recover

    FILES
      /var/lib/sysadm/sysadm.db    the database. sysadm.db-wal and sysadm.db-shm belong
                                   to it, so copy it with 'backup' only
    [done]
    ");
}

#[test]
fn help_of_store_check() {
    assert_snapshot!(help("store check --help"), @r#"
    Check database integrity, and list records that need attention

    Checks for damage first, then for contradictions, interrupted moves, steps without a recorded
    outcome, and a file /var/lib/sysadm/maintenance that does not match the database. Each finding says
    what to do. This command changes nothing and is safe during an evacuation, whose zones it does not
    report.

    Usage: sysadm store check [OPTIONS]

    Options:
          --json
              Print a JSON document

      -h, --help
              Print help (see a summary with '-h')

    FINDINGS (columns: kind, who has to act, meaning; --json: kind, needs)
      damaged       backup    SQLite reports damage, a row violates a constraint, or a
                              row contains what sysadm never writes; nothing else is
                              checked then
      contradiction backup    two records of a zone cannot both be true
      interrupted   operator  a zone was leaving, returning or being stopped when its
                              run ended
      dangling      operator  neither the outcome of a step nor the location of its
                              zone is recorded
      marker        operator  /var/lib/sysadm/maintenance exists although the host is
                              not in maintenance, or is missing although it is
      unfinished    nobody    a run was interrupted, and its zone was resolved later
      expired       nobody    a reservation has expired; the next one removes it

    EXAMPLES
      sysadm store check
      sysadm store check --json | jq -r '.findings[] | select(.needs != "nobody").text'

    EXIT STATUS
      0  the database is intact and no record needs attention
      1  the database cannot be checked and must not be relied on: it is locked, it
         was written by a newer version of sysadm, or the file is not a database
      2  usage error
      3  some records need attention
      5  the database is damaged or contradicts itself, and cannot be relied on for
         the location of zones
    [done]
    "#);
}

#[test]
fn help_of_store_recover() {
    assert_snapshot!(help("store recover --help"), @r"
    Recover what can be read of a damaged database

    Copies every intact row to a new database and lists what is lost, as far as that can be determined.
    The new database replaces the damaged one, which is kept next to it. No run or agent may be active.
    If you have a recent backup, consider restoring that instead.

    Usage: sysadm store recover

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      systemctl stop sysadm-agent
      sysadm store recover
      sysadm store check
      sysadm evacuate -l

      If the record of an evacuated zone is lost, the zone keeps running where it is
      but is not brought back. Compare 'sysadm evacuate -l' with the zones that other
      hosts run before you return or start any.

    FILES
      /var/lib/sysadm/sysadm.db.damaged    the damaged file, with its journal (-wal);
                                           the next one is sysadm.db.damaged-2

    EXIT STATUS
      0  all records were recovered, or the database is not damaged
      1  the file is not a database or is in use; nothing was changed
      2  usage error
      3  some records are lost; they are listed
      4  an evacuation, return or migration is in progress
    [done]
    ");
}

#[test]
fn help_of_store_backup() {
    assert_snapshot!(help("store backup --help"), @r"
    Back up the database to a file, even during an evacuation

    The backup is a consistent copy in a single file (mode 0600). It is verified before it gets its
    name, so if FILE exists it is complete. It contains the configurations of evacuated zones, which may
    include passwords.

    Usage: sysadm store backup <FILE>

    Arguments:
      <FILE>
              Backup to create; must not exist yet

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm store backup /root/sysadm-$(date +%F).db

      To restore a backup, first stop everything that uses the database:
      systemctl stop sysadm-agent
      rm -f /var/lib/sysadm/sysadm.db-wal /var/lib/sysadm/sysadm.db-shm
      install -m 600 FILE /var/lib/sysadm/sysadm.db
      sysadm store check

      The backup does not know what happened after it was made. Compare
      'sysadm evacuate -l' with the zones that other hosts run before you return or
      start any.

    EXIT STATUS
      0  FILE is a complete copy and is written to disk
      1  FILE already exists or cannot be written, or the database is damaged; FILE
         was not created
      2  usage error
    [done]
    ");
}

#[test]
fn help_of_setup() {
    assert_snapshot!(help("setup --help"), @r"
    Make libvirt enforce maintenance, and install the policies

    Installs a hook for each libvirt driver. From then on libvirt itself refuses 'virsh start' and
    incoming migrations during maintenance. Existing hooks are kept. The built-in policies are copied to
    /etc/sysadm/policies, where you can edit them; edited ones are not overwritten. Run this as root on
    every host. Running it again is harmless.

    Usage: sysadm setup [OPTIONS]

    Options:
          --uninstall
              Remove the hooks, and the policies that were not edited

      -h, --help
              Print help (see a summary with '-h')

    FILES
      /etc/libvirt/hooks/qemu.d/00-sysadm
      /etc/libvirt/hooks/lxc.d/00-sysadm
      /etc/sysadm/policies/*.toml

    libvirt loads new hooks only when it starts. After the first setup, restart it:
      systemctl restart libvirtd        or virtqemud and virtlxcd
    Running zones are not affected.

    EXIT STATUS
      0  success
      1  error
      2  usage error
    [done]
    ");
}

#[test]
fn help_of_cert() {
    assert_snapshot!(help("cert --help"), @r"
    Create and show certificates for rads://

    Create a certificate authority (CA) once, on one host, and issue a certificate for each host from
    it. Then copy ca.pem, HOST.pem and HOST.key to each host: to /etc/sysadm/tls, as ca.pem, host.pem
    and host.key (mode 0600).

    Usage: sysadm cert <COMMAND>

    Commands:
      init-ca  Create the CA of a site: ca.pem, and ca.key, which must not leave this host
      issue    Issue a certificate for a host: HOST.pem and HOST.key
      show     Show a certificate: names, issuer, validity and fingerprint
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm cert init-ca --site example            once, on one host
      sysadm cert issue h2 h2.example.org 10.0.0.2  on the same host, for each host
      sysadm cert show                              this host's certificate
      sysadm cert show h2.pem

    FILES
      /etc/sysadm/tls/ca.pem      0644  certificate of the CA; on every host
      /etc/sysadm/tls/ca.key      0600  key of the CA; on one host only
      /etc/sysadm/tls/host.pem    0644  this host's certificate
      /etc/sysadm/tls/host.key    0600  this host's key; not used if others can read it

    Existing files are never overwritten. A renewed certificate takes effect without a
    restart. The certificate of a CA is valid for ten years.

    EXIT STATUS
      0  success
      1  error
      2  usage error
    [done]
    ");
}

#[test]
fn help_of_cert_init_ca() {
    assert_snapshot!(help("cert init-ca --help"), @r"
    Create the CA of a site: ca.pem, and ca.key, which must not leave this host

    Usage: sysadm cert init-ca [OPTIONS]

    Options:
          --site <SITE>  Name of the site [default: sysadm]
          --dir <DIR>    Directory to write to. Default: /etc/sysadm/tls
      -h, --help         Print help
    [done]
    ");
}

#[test]
fn help_of_cert_issue() {
    assert_snapshot!(help("cert issue --help"), @r"
    Issue a certificate for a host: HOST.pem and HOST.key

    Usage: sysadm cert issue [OPTIONS] <HOST> [NAME]...

    Arguments:
      <HOST>     Host name as used in rads://HOST and in [roles] of sysadm.toml
      [NAME]...  Further names and addresses of the host

    Options:
          --days <DAYS>  Validity in days from now [default: 730]
          --dir <DIR>    Directory of the CA, to which the certificate is written. Default:
                         /etc/sysadm/tls
      -h, --help         Print help
    [done]
    ");
}

#[test]
fn help_of_cert_show() {
    assert_snapshot!(help("cert show --help"), @r"
    Show a certificate: names, issuer, validity and fingerprint

    Usage: sysadm cert show [OPTIONS] [FILE]

    Arguments:
      [FILE]  Certificate. Default: this host's

    Options:
          --json  Print a JSON document
      -h, --help  Print help
    [done]
    ");
}

#[test]
fn help_of_agent() {
    assert_snapshot!(help("agent --help"), @r"
    Serve requests from other hosts

    Every host that zones are moved to needs an agent. With --listen it runs as a service and accepts
    rads:// connections. With --stdio it serves a single connection; sshd starts it that way for ssh://
    targets.

    Usage: sysadm agent <--listen [<ADDR>]|--stdio>

    Options:
          --listen [<ADDR>]
              Accept TLS connections on this address. Default: the one in sysadm.toml, or all addresses,
              port 12302

          --stdio
              Serve one connection on standard input and output

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm agent --listen                  all addresses, port 12302
      sysadm agent --listen 10.0.0.2:12302
      ssh root@h2 sysadm agent --stdio       what an ssh:// target runs

    Run the agent as root. packaging/sysadm-agent.service runs it as a service.
    Messages go to standard error, and so to the journal.

    On SIGTERM or SIGINT the agent accepts no new connections, gives open ones ten
    seconds to finish, and exits.

    EXIT STATUS
      0  stopped by a signal, or the connection has ended
      1  error, such as an address in use or no certificate
      2  usage error
    [done]
    ");
}

#[test]
fn help_of_completion() {
    assert_snapshot!(help("completion --help"), @r"
    Print a completion script for a shell

    Examples: sysadm completion bash > /etc/bash_completion.d/sysadm, sysadm completion zsh >
    /usr/share/zsh/site-functions/_sysadm

    Usage: sysadm completion <SHELL>

    Arguments:
      <SHELL>
              Shell
              
              [possible values: bash, elvish, fish, powershell, zsh]

    Options:
      -h, --help
              Print help (see a summary with '-h')
    [done]
    ");
}
