//! What stands below the options in each command's `--help`: examples, exit statuses, files.

mod zone;

pub use zone::*;

pub const SYSADM: &str = "\
EXIT STATUS
  0    what was asked is wholly done
  1    an error; nothing was changed
  2    wrong usage
  3    partly done: some zones moved, some did not or still run here
  4    refused: maintenance is held, or is not held where it must be, or another
       evacuation, return or migration is in progress
  5    stuck: where a zone is cannot be settled without you
  130  cancelled by the operator; every zone is whole, and on one host

NAMES OF ZONES
  letters, digits, '_', '-' and '.', beginning with a letter or digit. Each byte of anything
  else that libvirt has in a name is written as % and two hexadecimal digits: Windows%2010,
  m%C3%BCller. Wherever a ZONE is typed, libvirt's own name ('Windows 10') or the zone's
  UUID does, too; a name as sysadm lists it comes first, then libvirt's, then a UUID. After
  '--' a name may begin with '-'. A guest whose name has a line break or '/' cannot be
  handled; it is reported and counted.

FILES
  /etc/sysadm/sysadm.toml        configuration; the defaults hold where it is silent
  /etc/sysadm/policies/          policies; they win over those of the same name that
                                 are part of the program
  /etc/sysadm/tls/               certificates for rads://
  /etc/libvirt/hooks/*.d/        00-sysadm: how libvirt is kept from starting zones
  /var/lib/sysadm/sysadm.db      state: maintenance, targets, zones that are away
  /var/lib/sysadm/maintenance    there while maintenance is held
  /run/sysadm/                   sockets of the migrations in progress

ENVIRONMENT
  SYSADM_ROOT    a folder below which all these paths lie instead
  SUDO_USER, DOAS_USER
                 who is recorded as the user behind root
  SSH_AUTH_SOCK  the ssh-agent whose keys are tried for ssh://
  NO_COLOR       no colours

'sysadm help COMMAND' tells all about a command.";

pub const MAINTAIN: &str = "\
EXAMPLES
  sysadm maintain -s -m 'new kernel'
  sysadm maintain -l
  sysadm maintain -l -p -o type,user        for programs
  sysadm maintain -s --type power           a second holder, beside admin
  sysadm maintain --announce '2026-11-22 02:00' -m 'new disks'
  sysadm maintain -e

EXIT STATUS
  0  done
  1  -e: it is not held; or an error, and nothing was changed
  2  wrong usage
  4  -s: it is held already; by whom and since when is said";

pub const EVACUATE: &str = "\
STATES (-l)
  PREPARING  its targets are being asked
  READY      its room is booked, it waits for its turn; or it waits for room: see ERROR
  MIGRATING  it is on its way, or being stopped, saved or booted
  EVACUATED  it is at DEST
  STOPPED    it was shut down and rests here; -r boots it again
  SUSPENDED  its memory was saved and it rests here; -r restores it
  SKIPPED    no attempt was made, ERROR says why; it may run here
  FAILED     the attempt failed, ERROR says why; it is where it was
  UNKNOWN    interrupted, or a host did not answer; --resume finds out

WHEN (-l, while a run goes on)
  14:32      it is expected to move then; soon: it should be on its way by now
  1m05s      it is expected to arrive after that long; late: it should have arrived by now

EXAMPLES
  sysadm evacuate -na                       what would happen, and what stands in the way
  sysadm evacuate -va                       everything, with a line for each step
  sysadm evacuate -j 6 --deadline 30m       six zones at once, half an hour at most
  sysadm evacuate -a --policy pack          to as few hosts as possible
  sysadm evacuate web1 db1                  only these, running or not
  sysadm evacuate --action restart ct1      shut down here, booted at its target
  sysadm evacuate --action stop web1 db1    first web1, then db1; -r boots db1 first
  sysadm evacuate -l                        what is away; what is left here
  sysadm evacuate -l -p -o zonename,dest    for programs
  sysadm evacuate -l --watch                as it changes
  sysadm evacuate --cancel                  from another terminal: nothing new starts
  sysadm evacuate -ra                       everything back

GIVING IT UP
  ^C, or --cancel from another terminal: zones that wait for their turn are skipped, what
  moves is finished. Once more, SIGTERM or the end of --deadline: what moves is given up,
  too, and the run ends within 65 s whatever hangs. A zone that was given up goes on here;
  one of which that cannot be told is listed as UNKNOWN, and --resume settles it. SIGHUP
  (a closed terminal, a broken login) does not end the run; -l --watch shows it elsewhere.

EXIT STATUS
  0    every zone that was asked for has moved or rests, and none is left running here
  1    every attempt failed, no zone moved; or an error, and nothing was changed
  2    wrong usage
  3    some zones moved, some did not or still run here; some were skipped
  4    not in maintenance (evacuation); in maintenance (return); or another run is in
       progress
  5    where a zone is cannot be settled without you; ERROR and --resume say more
  130  cancelled by ^C, --cancel or SIGTERM; every zone is whole, and on one host
  --cancel ends with 0 if the run was asked, with 1 if there is none.
  -n ends with 0 if all zones could move, with 3 or 1 if some or all could not.
  -l ends with 0 whatever it lists.";

pub const TARGET: &str = "\
EXAMPLES
  sysadm target set --default ssh://root@h2
  sysadm target set web1 web2 rads://h3 ssh://root@h2:2222
  sysadm target unset web1
  sysadm target list

EXIT STATUS
  0  done
  1  no such zone, nothing set that could be unset; nothing was changed
  2  wrong usage; for a malformed URI, which part of it is wrong";

pub const PLAN: &str = "\
EXAMPLES
  A rack is emptied; nothing goes from one of its hosts to another:
  sysadm plan --drain rads://h1,rads://h2,rads://h3 --to rack2 --output night.json
  sysadm plan show night.json
  sysadm plan show night.json --diff other.json
  sysadm plan simulate night.json
  sysadm evacuate --plan night.json            on h1, h2 and h3: exactly that

  It is filled again:
  sysadm plan --return rads://h1,rads://h2,rads://h3 --output home.json
  sysadm evacuate -r --plan home.json          on h1, h2 and h3

  What if? No host is asked:
  sysadm host inventory --json > site.json
  sysadm plan --inventory site.json --drain rads://h2 --policy pack

OUTPUT
  START     when the move begins, counted from the beginning of all
  TIME, DOWNTIME, RATE
            how long it takes, for how long of that the zone does not answer, and the bytes per second it gets

EXIT STATUS
  0  every zone has a place; plans do not differ; the plan was played without breaking a rule
  1  a file or host could not be read, or no zone has a place
  2  wrong usage
  3  some zones have no place; plans differ; a rule was broken";

pub const POLICY: &str = "\
EXAMPLES
  sysadm policy list
  sysadm policy show spread
  sysadm policy show spread --toml > /etc/sysadm/policies/mine.toml
  sysadm policy check /etc/sysadm/policies/mine.toml
  sysadm evacuate -na --policy mine

THE FILE (every key may be left out)
  about = \"...\"                     what it does, in a few words
  destinations = [\"rads://h2\", \"rack\"]
                                    the only hosts, or groups, to which zones may go
  retries = 2                       tries of a move that failed for a passing reason
  return_order = \"reverse\"          zones come back so; else \"planned\"
  [groups]
  rack = [\"rads://h3\", \"ssh://h4\"]
  [goal]
  place = \"spread\"                  or pack, balance, pinned, fastest,
                                    ganeti
  weights = { cpu = 1, memory = 1, network = 1 }
                                    of balance only
  [limits]
  headroom = \"10%\"                  of each host's memory, stays free
  max_zones = 40                    on one host
  vcpus_per_cpu = 4                 virtual processors for each real one
  outbound = 4, inbound = 4         moves from and to one host at once
  bandwidth = \"1GiB/s\"              of one move
  [convergence]
  stall, downtime, passes           in place of those in [migration] of sysadm.toml
  [[zones]]                         a rule, as often as you like
  match = { name = \"web*\", brand = \"kvm\", tag = \"prod\" }
                                    zones of which all that is true; without it all zones
  targets = [\"rack\", \"rads://h2\"]   the only hosts for them, in order of preference
  action = \"live\"                   or restart, stop, suspend, leave
  priority = 10                     higher goes first
  after = [\"web*\"]                  they go when these have gone, or could not
  apart = \"web\"                     no two of this group on one host
  together = \"shop\"                 all of this group on one host
  one_by_one = \"web\"                no two of this group on their way at the same time

All rules that match a zone hold for it: of two that differ in targets, action or priority
the later one wins, and the others add up. So general rules stand above, exceptions below.

ORDER
  'after' is about going: a zone moves, or is stopped or suspended, when those that it
  comes after have moved, been stopped or suspended, or failed to. So what others depend
  on comes after them: match = { name = \"db*\" }, after = [\"web*\", \"app*\"] stops web
  and app first and db last. Zones that are stopped or suspended go one at a time, after
  all that move; by 'after', then as named on the command line, then by priority, then by
  name. On return they are booted in exactly the reverse order: db first.
  Patterns match names as they are listed, with %XX: Windows%20*. For '?' each character of
  the real name is one: m?ller matches m%C3%BCller.
  Of zones that a rule both matches and names none waits for another one. Rules that form
  a circular dependency are refused; where only the zones at hand form one, it is broken
  at the zone with the highest priority, and reported.

FILES
  /etc/sysadm/policies/NAME.toml    wins over the policy of that name that is part of the
                                    program; 'sysadm setup' puts those here

EXIT STATUS
  0  done; check: nothing is wrong
  1  there is none, it cannot be read, or it is wrong; where and why is said
  2  wrong usage";

pub const HOST: &str = "\
EXAMPLES
  sysadm host check rads://h3
  sysadm host list
  sysadm host inventory                     this host and all targets
  sysadm host inventory --json >site.json   with their zones, for a planner

TAGS
  An inventory has the tags of zones. They are in libvirt's metadata and go where the
  zone goes; --live only if it runs:
  virsh metadata ZONE --live --config --uri urn:sysadm:tags --key sysadm \\
    --set '<tags>gold db</tags>'

EXIT STATUS
  0  it answers, and takes zones
  1  it cannot be reached, or does not let this host in
  2  wrong usage
  3  list, inventory: some do not answer
  4  check: it is in maintenance";

pub const STORE: &str = "\
EXAMPLES
  sysadm store check
  sysadm store backup /root/sysadm-2026-11-21.db
  sysadm store recover

FILES
  /var/lib/sysadm/sysadm.db    the database; sysadm.db-wal and sysadm.db-shm beside
                               it belong to it, so copy it with 'backup' only";

pub const STORE_CHECK: &str = "\
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
  sysadm store check --json | jq -r '.findings[] | select(.needs != \"nobody\").text'

EXIT STATUS
  0  the database is whole, and nothing in it waits for you
  1  it cannot be looked at: locked, written by a newer sysadm, or no database
  2  wrong usage
  3  something waits for you
  5  it is damaged, or contradicts itself: where zones are cannot be told from it";

pub const STORE_BACKUP: &str = "\
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
  2  wrong usage";

pub const STORE_RECOVER: &str = "\
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
  4  a run is at work";

pub const SETUP: &str = "\
FILES
  /etc/libvirt/hooks/qemu.d/00-sysadm
  /etc/libvirt/hooks/lxc.d/00-sysadm
  /etc/sysadm/policies/*.toml

libvirt looks for new hooks only when it starts. After the first time:
  systemctl restart libvirtd        (virtqemud and virtlxcd, where there are those)";

pub const CERT: &str = "\
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

Nothing that exists is ever overwritten. A renewed certificate needs no restart.";

pub const AGENT: &str = "\
EXAMPLES
  sysadm agent --listen                  rads:// on every address, port 12302
  sysadm agent --listen 10.0.0.2:12302
  ssh root@h2 sysadm agent --stdio       what an ssh:// target comes to

SIGTERM and SIGINT end it: nothing new is accepted, and what is open has ten seconds.";
