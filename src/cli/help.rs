//! The text below the options in each command's `--help`: examples, exit statuses, files. A text file for each
//! command.

macro_rules! texts {
    ($($name:ident = $file:literal,)+) => {
        $(pub const $name: &str = include_str!(concat!("help/", $file)).trim_ascii_end();)+
    };
}

texts! {
    SYSADM = "sysadm.txt",
    MAINTAIN = "maintain.txt",
    EVACUATE = "evacuate.txt",
    TARGET = "target.txt",
    PLAN = "plan.txt",
    POLICY = "policy.txt",
    HOST = "host.txt",
    STORE = "store.txt",
    STORE_CHECK = "store_check.txt",
    STORE_BACKUP = "store_backup.txt",
    STORE_RECOVER = "store_recover.txt",
    SETUP = "setup.txt",
    CERT = "cert.txt",
    AGENT = "agent.txt",
    ZONE_LIST = "zone_list.txt",
    ZONE_MIGRATE = "zone_migrate.txt",
    ZONE_DETACH = "zone_detach.txt",
    ZONE_ATTACH = "zone_attach.txt",
    ZONE_CREATE = "zone_create.txt",
    ZONE_DELETE = "zone_delete.txt",
    ZONE_STANDBY = "zone_standby.txt",
}
