//! Questions to libvirt about one machine: each names it in the same words.

use super::super::Libvirt;
use super::super::domain_xml::Domain;
use super::super::query_cache::Answer;
use crate::platform::PlatformError;

/// What QEMU can do for the machine of a domain, or why there is none: libvirt's usual QEMU, or the domain's own.
pub async fn capabilities(libvirt: &Libvirt, domain: &Domain) -> Result<Answer, PlatformError> {
    let words = ["domcapabilities".to_owned()].into_iter().chain(words(domain, "emulatorbin"));
    libvirt.known.ask(words, "").await
}

/// Whether the processor that QEMU gives such a machine has all of a `<cpu>`, or what it lacks.
pub async fn compare(libvirt: &Libvirt, domain: &Domain, cpu: &str) -> Result<Answer, PlatformError> {
    let command = ["hypervisor-cpu-compare", "--error", "/dev/stdin"].map(str::to_owned);
    libvirt.known.ask(command.into_iter().chain(words(domain, "emulator")), cpu).await
}

/// The machine, for virsh. Its commands call the emulator by different names.
fn words(domain: &Domain, emulator: &str) -> Vec<String> {
    let path = domain.emulator.as_ref().map(|path| path.display().to_string());
    let options = [
        ("virttype", domain.virt.as_str()),
        ("arch", domain.arch.as_str()),
        ("machine", domain.machine.as_deref().unwrap_or_default()),
        (emulator, path.as_deref().unwrap_or_default()),
    ];
    let said = options.into_iter().filter(|(_, word)| !word.is_empty());
    said.map(|(option, word)| format!("--{option}={word}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_names_the_whole_machine_and_nothing_that_is_not_said() {
        let domain = Domain {
            virt: "kvm".to_owned(),
            arch: "x86_64".to_owned(),
            machine: Some("pc-q35-7.2".to_owned()),
            emulator: Some("/usr/bin/qemu-system-x86_64".into()),
            ..Domain::default()
        };
        assert_eq!(
            words(&domain, "emulator"),
            [
                "--virttype=kvm",
                "--arch=x86_64",
                "--machine=pc-q35-7.2",
                "--emulator=/usr/bin/qemu-system-x86_64"
            ]
        );
        let domain = Domain { arch: String::new(), machine: None, emulator: None, ..domain };
        assert_eq!(words(&domain, "emulatorbin"), ["--virttype=kvm"]);
    }
}
