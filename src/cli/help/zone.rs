//! The same for the commands that work with one zone by hand.

pub const ZONE_LIST: &str = "\
EXAMPLES
  sysadm zone list            zones that run
  sysadm zone list -iv        installed ones too, as a table
  sysadm zone list -cp        all, for programs";

pub const ZONE_MIGRATE: &str = "\
TYPES (-t)
  auto  a zone that runs migrates live, one that does not run moves cold; one that runs
        and cannot migrate live is refused, with the reason
  live  only live: a zone that does not run is refused
  cold  one that runs is shut down when all is ready for it there, and booted there; if
        it does not heed, or cannot be booted there, it goes on here

OUTPUT
  zoneadm(8)'s sentences, on standard error, each when it is so; a moving bar beside
  them on a terminal. A configuration that is there already is used if it is the same
  one; -w replaces another one, and without -w that is an error. What was there is
  'configured' there if the zone does not stay; 'sysadm zone attach' puts it back.

EXAMPLES
  sysadm zone migrate -n web1 ssh://root@h2    could it?
  sysadm zone migrate web1 ssh://root@h2
  sysadm zone migrate -t cold ct1 rads://h3

EXIT STATUS
  0    it has moved; -n: it could
  1    nothing was changed: every reason is said
  2    wrong usage
  4    the destination is in maintenance, or another evacuation, return or migration,
       or a detach or attach, is in progress here
  5    stuck: where the zone is cannot be told before both hosts answer; then
       'sysadm evacuate --resume'
  130  cancelled; the zone is here, as it was";
pub const ZONE_DETACH: &str = "\
EXAMPLES
  sysadm zone detach web1
  sysadm zone detach web1 --manifest /root/web1.xml
  sysadm zone detach -n web1 | ssh h2 sysadm zone attach -n -    would it fit there?

FILES
  SUNWdetached.xml    the manifest in the zonepath; while it is there no other zone
                      uses that folder. The zonepath of a container is the folder
                      that holds its root file system, if that is called root or
                      rootfs; virtual machines have none

EXIT STATUS
  0  it is detached, or its manifest was printed
  1  an error; the zone is as it was
  2  wrong usage
  4  an evacuation, return or migration, or another detach or attach, is in progress";

pub const ZONE_ATTACH: &str = "\
EXAMPLES
  sysadm zone attach web1
  sysadm zone attach -u web1
  sysadm zone attach -n /zones/web1
  ssh h1 sysadm zone detach -n web1 | sysadm zone attach -n -

ON SHARED STORAGE
  A zone belongs on one host. If it has a zonepath, whoever attaches it takes the
  manifest out of that; where it is gone the zone is refused, also with -F. A virtual
  machine has none: its targets, and the host that it was migrated to, are asked whether
  they have it. One that cannot be asked may have it: say --not-on if you know better.
  A zone whose manifest was written while it was attached (detach -n) is attached
  with -F only.

EXIT STATUS
  0  it is attached, or would fit
  1  it does not fit, or an error; nothing was changed
  2  wrong usage
  4  this host is in maintenance, or an evacuation, return or migration, or another
     detach or attach, is in progress";

pub const ZONE_CREATE: &str = "\
EXAMPLES
  sysadm zone create web1 -a /zones/web1
  sysadm zone create web1 -a web1.xml --set memory=4G --net br0=br7
  sysadm zone create web2 -a web1.xml --set uuid=new --edit    a copy, with its own disks
  ssh h1 cat web1.xml | sysadm zone create web1 -a -

COPIES
  With another UUID it is another zone: its interfaces get other hardware addresses,
  always the same ones for the same UUID, and a <genid> that is given becomes the UUID.
  Storage is not copied. A copy that would write to a disk of its original, NVRAM and
  the root of a container among them, is configured, and 'zone attach' refuses it: name
  disks of its own in the editor, or mark them as <shareable/> if they are.

EDITING
  A text that is refused, or whose zone cannot be created, is kept in /run/sysadm for
  its owner only; the error names the file.

EXIT STATUS
  0  it is configured
  1  an error; nothing was kept but what was edited
  2  wrong usage";

pub const ZONE_DELETE: &str = "\
EXIT STATUS
  0  it is configured no more, or the question was answered with no
  1  it is not configured here, or an error; nothing was changed
  2  wrong usage";

pub const ZONE_STANDBY: &str = "\
EXAMPLES
  sysadm zone standby                    leave the manifests of all zones
  sysadm zone standby -l                 what other hosts have left here
  sysadm zone attach --standby web --origin-is-down
                                         on a target of it, when its host is lost and
                                         fenced

EXIT STATUS
  0  every manifest is left with every target
  1  none is
  2  wrong usage
  3  some are not; or none is, and zones were found that were attached elsewhere
  5  a zone runs here that was attached elsewhere, too: it may run twice";
