//! One host, and commands on it.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

use super::{Lab, Output, Running, wait_until};

/// The two drivers' connection URIs.
const DRIVERS: [&str; 2] = ["qemu:///system", "lxc:///system"];

/// A host of a lab.
#[derive(Clone, Copy)]
pub struct Host<'lab> {
    pub(super) lab: &'lab Lab,
    pub name: &'lab str,
}

impl Host<'_> {
    /// Runs a command there, for at most two minutes.
    pub fn run(&self, command: &[&str]) -> Output {
        let mut arguments = vec![self.name, "timeout", "-k", "5", "120"];
        arguments.extend(command);
        let output = self.lab.command("exec", &arguments).stdin(std::process::Stdio::null()).output();
        Output::of(&format!("{}# {}", self.name, command.join(" ")), output.unwrap())
    }

    /// Runs `sysadm` there.
    pub fn sysadm(&self, arguments: &[&str]) -> Output {
        self.run(&[&["sysadm"], arguments].concat())
    }

    /// Starts `sysadm` there, in the background. The process is sysadm's own.
    pub fn start_sysadm(&self, arguments: &[&str]) -> Running {
        let name = format!("{}# sysadm {}", self.name, arguments.join(" "));
        let command = self.lab.command("exec", &[&[self.name, "sysadm"], arguments].concat());
        Running::start(&name, command, self.lab.folder())
    }

    /// `virsh` on the QEMU driver.
    pub fn virsh(&self, arguments: &[&str]) -> Output {
        self.run(&[&["virsh", "-q", "-c", DRIVERS[0]], arguments].concat())
    }

    /// `virsh` on the LXC driver.
    pub fn virsh_lxc(&self, arguments: &[&str]) -> Output {
        self.run(&[&["virsh", "-q", "-c", DRIVERS[1]], arguments].concat())
    }

    /// The XML of a guest's permanent configuration, with its passwords.
    pub fn xml(&self, guest: &str) -> String {
        self.virsh(&["dumpxml", "--inactive", "--security-info", guest]).ends(0).stdout
    }

    /// Defines KVM guests with the same options.
    pub fn define_kvm(&self, guests: &[&str], options: &[&str]) {
        for guest in guests {
            self.lab.script("define", &[&[self.name, "kvm", guest], options].concat());
        }
    }

    /// Defines an LXC guest.
    pub fn define_lxc(&self, guest: &str) {
        self.lab.script("define", &[self.name, "lxc", guest]);
    }

    /// Defines an LXC guest again, with a text in its XML replaced.
    pub fn redefine_lxc(&self, guest: &str, from: &str, to: &str) {
        let xml = self.virsh_lxc(&["dumpxml", "--inactive", guest]).ends(0).stdout;
        assert!(xml.contains(from), "{from}: {xml}");
        let file = self.lab.folder().join(format!("{}-define.xml", self.name));
        std::fs::write(&file, xml.replace(from, to)).unwrap();
        self.virsh_lxc(&["define", file.to_str().unwrap()]).ends(0);
    }

    /// Defines a guest from its XML.
    pub fn define_xml(&self, xml: &str) {
        let file = self.lab.folder().join(format!("{}-define.xml", self.name));
        std::fs::write(&file, xml).unwrap();
        self.virsh(&["define", file.to_str().unwrap()]).ends(0);
    }

    /// Starts guests and waits until they tick.
    pub fn start(&self, guests: &[&str]) {
        for guest in guests {
            self.lab.script("start", &[self.name, guest]);
        }
    }

    /// Defines KVM guests and starts them.
    pub fn run_kvm(&self, guests: &[&str], options: &[&str]) {
        self.define_kvm(guests, options);
        self.start(guests);
    }

    /// Its guests with their states, by name.
    pub fn guests(&self) -> String {
        let mut guests = Vec::new();
        for (driver, mark) in DRIVERS.into_iter().zip(["", " (lxc)"]) {
            let list = self.run(&["virsh", "-q", "-c", driver, "list", "--all"]).ends(0).stdout;
            guests.extend(list.lines().filter_map(|line| {
                // A name or a state may contain a blank; columns are further apart.
                let (name, state) =
                    line.trim().split_once(char::is_whitespace)?.1.trim().rsplit_once("  ")?;
                Some(format!("{}{mark} {state}", name.trim()))
            }));
        }
        guests.sort();
        guests.join(", ")
    }

    /// A file or folder of the host, as seen from outside.
    pub fn path(&self, path: &str) -> PathBuf {
        self.lab.folder().join(self.name).join(path)
    }

    pub fn database(&self) -> PathBuf {
        self.path("var/lib/sysadm/sysadm.db")
    }

    /// Writes its sysadm.toml.
    pub fn configure(&self, text: &str) {
        std::fs::write(self.path("etc/sysadm/sysadm.toml"), text).unwrap();
    }

    /// Installs the hooks and restarts libvirtd, which then finds them.
    pub fn set_up(&self) {
        self.sysadm(&["setup"]).ends(0);
        self.libvirtd("restart");
    }

    /// Sets what is to happen at a failpoint: `source.before.detach kill`.
    pub fn order(&self, text: &str) {
        std::fs::write(self.path("var/lib/sysadm/failpoint"), format!("{text}\n")).unwrap();
    }

    /// Starts maintenance.
    pub fn maintain(&self) {
        self.sysadm(&["maintain", "-s"]).ends(0);
    }

    /// Serves rads:// until the end of the lab.
    pub fn agent(&self) {
        self.lab.certificates();
        let agent = self.start_sysadm(&["agent", "--listen"]);
        wait_until(10, "the agent listens", || agent.stderr().contains("listening"));
        self.lab.agents.lock().unwrap().push(agent);
    }

    /// Installs the certificate of that authority.
    pub fn install_certificate(&self, authority: &Path) {
        let tls = self.path("etc/sysadm/tls");
        std::fs::create_dir_all(&tls).unwrap();
        for (from, to) in [
            ("ca.pem".to_owned(), "ca.pem"),
            (format!("{}.pem", self.name), "host.pem"),
            (format!("{}.key", self.name), "host.key"),
        ] {
            std::fs::copy(authority.join(from), tls.join(to)).unwrap();
        }
    }

    /// Disconnects it from the network.
    pub fn cut(&self) {
        self.lab.script("cut", &[self.name]);
    }

    /// Connects it again.
    pub fn mend(&self) {
        self.lab.script("mend", &[self.name]);
    }

    /// Power failure.
    pub fn kill(&self) {
        self.lab.script("kill", &[self.name]);
    }

    /// The power returns.
    pub fn boot(&self) {
        self.lab.script("boot", &[self.name]);
    }

    /// Its libvirtd: `stop`, `start` or `restart`.
    pub fn libvirtd(&self, action: &str) {
        self.lab.script("libvirtd", &[self.name, action]);
    }

    /// Stops its libvirtd, or lets it continue.
    pub fn signal_libvirtd(&self, signal: Signal) {
        let pid = std::fs::read_to_string(self.path("run/libvirt/libvirtd.pid")).unwrap();
        kill_process(Pid::from_raw(pid.trim().parse().unwrap()).unwrap(), signal).unwrap();
    }

    /// How many bytes of requests its libvirtd has not read yet.
    pub fn unread_by_libvirtd(&self) -> u64 {
        let sockets =
            self.run(&["ss", "-Hx", "state", "connected", "src", "/run/libvirt/libvirt-sock"]).ends(0);
        let unread = |line: &str| line.split_whitespace().nth(2)?.parse::<u64>().ok();
        sockets.stdout.lines().filter_map(unread).sum()
    }

    /// The state of a zone in `evacuate -l`; empty if it is not listed.
    pub fn state_of(&self, zone: &str) -> String {
        let list = self.sysadm(&["evacuate", "-l", "-p", "-o", "ZONENAME,STATE"]).ends(0).stdout;
        let found =
            list.lines().find_map(|line| line.strip_prefix(zone)?.strip_prefix(':').map(str::to_owned));
        found.unwrap_or_default()
    }

    /// Waits until so many MiB of a zone have been sent, so that it is in the middle of its move.
    #[track_caller]
    pub fn wait_until_sent(&self, zone: &str, mib: u64) {
        wait_until(60, &format!("{mib} MiB of {zone} are sent"), || {
            let list = self.sysadm(&["evacuate", "-l", "--json"]).ends(0).json();
            let zones = list["zones"].as_array().unwrap();
            zones.iter().any(|row| {
                row["zone"] == zone
                    && row["state"] == "MIGRATING"
                    && row["bytes"].as_u64().is_some_and(|bytes| bytes >= mib << 20)
            })
        });
    }
}
