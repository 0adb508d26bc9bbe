//! The process of a zone: its QEMU, or the controller of its container.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::sync::oneshot;

use crate::model::ZoneName;
use crate::paths::Paths;
use crate::platform::libvirt::virsh::Driver;

/// The id of the zone's process, if it can be found.
fn pid_of(driver: Driver, zone: &ZoneName, paths: &Paths) -> Option<i32> {
    let file = paths.libvirt_run().join(driver.folder()).join(format!("{}.pid", zone.platform_name()));
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Whether the zone's QEMU was started to receive a migration. One that is paused since then has not opened its
/// disks for writing; QEMU before 10 ends with a failed assertion (`bdrv_inactivate_recurse`) when such a zone
/// is migrated, and the zone's memory is lost.
pub fn has_arrived(zone: &ZoneName, paths: &Paths) -> bool {
    arguments_of(zone, paths).iter().any(|argument| argument == "-incoming")
}

/// Whether the zone's processor is emulated (TCG) instead of being the host's own.
pub fn is_emulated(zone: &ZoneName, paths: &Paths) -> bool {
    arguments_of(zone, paths).windows(2).any(|pair| match [pair[0].as_str(), pair[1].as_str()] {
        ["-accel", kind] => kind.starts_with("tcg"),
        ["-machine", machine] => machine.split(',').any(|option| option == "accel=tcg"),
        _ => false,
    })
}

fn arguments_of(zone: &ZoneName, paths: &Paths) -> Vec<String> {
    let Some(pid) = pid_of(Driver::Qemu, zone, paths) else { return Vec::new() };
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    arguments.split(|&byte| byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// Is told when the zone's process has ended; none if it cannot be found.
pub fn end_of(driver: Driver, zone: &ZoneName, paths: &Paths) -> Option<oneshot::Receiver<()>> {
    let process = pidfd_open(Pid::from_raw(pid_of(driver, zone, paths)?)?, PidfdFlags::empty()).ok()?;
    let (sender, receiver) = oneshot::channel();
    // A thread of its own: it may wait for as long as the zone lives, and must not keep the runtime from ending.
    std::thread::spawn(move || {
        while !sender.is_closed() {
            let mut fds = [PollFd::new(&process, PollFlags::IN)];
            let pause = Timespec { tv_sec: 1, tv_nsec: 0 };
            match poll(&mut fds, Some(&pause)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => {
                    let _ = sender.send(());
                    return;
                }
                Err(_) => return,
            }
        }
    });
    Some(receiver)
}
