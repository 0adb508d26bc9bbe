//! Queries to libvirt and its emulators about their abilities. The answers rarely change but may take seconds: so
//! they are cached, but only for a minute, since QEMU and libvirt may be updated. Errors are not cached: they are
//! quickly produced again, and may have a passing reason.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Connection, CpuFit, LibvirtError, Versions, parse_version};
use crate::exec::{Command, ExecError};
use crate::platform::PlatformError;
use crate::platform::libvirt::domain_xml::Domain;

/// The output of virsh, or its error message.
pub type VirshOutput = Result<String, String>;

/// Arguments of virsh, and its standard input.
type VirshQuery = (Vec<String>, String);

/// How long an answer is valid.
const FRESH: Duration = Duration::from_secs(60);

/// Questions with their answers, and when they were asked.
#[derive(Debug, Default)]
pub struct QueryCache(Mutex<HashMap<VirshQuery, (Instant, String)>>);

impl QueryCache {
    /// The versions of libvirt and its hypervisor.
    pub async fn versions(&self) -> Result<Versions, PlatformError> {
        let answer = self.ask(["version"], "").await?;
        let output = answer.map_err(|what| PlatformError::Output { command: "virsh version", what })?;
        Ok(parse_version(&output))
    }

    /// The host's capabilities, as XML.
    pub async fn capabilities(&self) -> Result<String, PlatformError> {
        let answer = self.ask(["capabilities"], "").await?;
        answer.map_err(|what| PlatformError::Output { command: "virsh capabilities", what })
    }

    /// The capabilities of QEMU for the machine of a domain, as XML, or why there are none: of libvirt's default
    /// QEMU, or of the domain's own.
    ///
    /// # Errors
    /// If libvirt does not answer. An error message of libvirt's is an answer.
    pub async fn machine(&self, domain: &Domain) -> Result<VirshOutput, PlatformError> {
        let words = ["domcapabilities".to_owned()].into_iter().chain(words(domain, "emulatorbin"));
        self.ask(words, "").await
    }

    /// Whether the CPU that QEMU gives such a machine has all of a `<cpu>`.
    pub async fn compare_cpu(&self, domain: &Domain, cpu: &str) -> Result<CpuFit, PlatformError> {
        let command = ["hypervisor-cpu-compare", "--error", "/dev/stdin"].map(str::to_owned);
        let answer = self.ask(command.into_iter().chain(words(domain, "emulator")), cpu).await?;
        Ok(match answer {
            Ok(_) => CpuFit::Fits,
            Err(said) => CpuFit::of(said),
        })
    }

    /// Runs virsh with these arguments. `input` is what it reads from `/dev/stdin`, if they name that.
    async fn ask<I: Into<String>>(
        &self,
        words: impl IntoIterator<Item = I>,
        input: &str,
    ) -> Result<VirshOutput, PlatformError> {
        let question: VirshQuery = (words.into_iter().map(Into::into).collect(), input.to_owned());
        if let Some(answer) = self.fresh(&question, Instant::now()) {
            return Ok(Ok(answer));
        }
        let command = Connection::qemu().virsh().args(question.0.iter().map(String::as_str)).stdin(input);
        let answer = match command.run().await {
            Ok(output) => Ok(output),
            Err(error) => Err(LibvirtError::new(error).said("ask libvirt what it has")?),
        };
        if let Ok(answer) = &answer {
            self.keep(question, answer.clone(), Instant::now());
        }
        Ok(answer)
    }

    /// Asks one of libvirt's emulators for its devices, as a list for people.
    pub async fn devices(&self, emulator: &Path) -> Result<String, ExecError> {
        const WORDS: [&str; 4] = ["-machine", "none", "-device", "help"];
        let question = (
            [emulator.display().to_string()].into_iter().chain(WORDS.map(str::to_owned)).collect(),
            String::new(),
        );
        if let Some(answer) = self.fresh(&question, Instant::now()) {
            return Ok(answer);
        }
        let answer = Command::at(emulator, "qemu").args(WORDS).timeout(Duration::from_secs(10)).run().await?;
        self.keep(question, answer.clone(), Instant::now());
        Ok(answer)
    }

    fn fresh(&self, question: &VirshQuery, now: Instant) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(question).filter(|(asked, _)| is_fresh(*asked, now)).map(|(_, answer)| answer.clone())
    }

    fn keep(&self, question: VirshQuery, answer: String, now: Instant) {
        /// Peers can choose the questions, so the cache must not grow without limit.
        const MANY: usize = 256;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (asked, _)| is_fresh(*asked, now));
        if known.len() >= MANY {
            known.clear();
        }
        known.insert(question, (now, answer));
    }
}

fn is_fresh(asked: Instant, now: Instant) -> bool {
    now.duration_since(asked) < FRESH
}

/// The machine as arguments of virsh, whose commands have different options for the emulator.
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
    fn an_answer_is_kept_for_a_minute_and_no_longer_takes_room_after_it() {
        let (known, start) = (QueryCache::default(), Instant::now());
        let question = |name: &str| (vec![name.to_owned()], String::new());
        let after = |seconds| start + Duration::from_secs(seconds);
        known.keep(question("version"), "9.0".to_owned(), start);
        assert_eq!(known.fresh(&question("version"), after(59)).as_deref(), Some("9.0"));
        assert_eq!(known.fresh(&question("version"), after(60)), None);
        assert_eq!(known.fresh(&question("capabilities"), start), None);
        known.keep(question("capabilities"), String::new(), after(60));
        assert_eq!(known.0.lock().unwrap().len(), 1, "what is out of date is gone");
    }

    #[tokio::test]
    async fn an_emulator_that_is_there_tells_its_devices_and_any_other_is_an_error() {
        let known = QueryCache::default();
        let emulator = Path::new("/usr/bin/qemu-system-x86_64");
        let devices = known.devices(emulator).await.expect("the package qemu-system-x86 is installed");
        assert!(devices.contains("name \"virtio-net-pci\""), "{devices}");
        assert_eq!(known.0.lock().unwrap().len(), 1);
        assert!(known.devices(Path::new("/no/such/qemu")).await.is_err());
        assert!(known.devices(Path::new("/bin/false")).await.is_err());
    }

    #[test]
    fn no_number_of_questions_takes_room_without_end() {
        let (known, now) = (QueryCache::default(), Instant::now());
        for number in 0..1000 {
            known.keep((vec![number.to_string()], String::new()), String::new(), now);
            assert!(known.0.lock().unwrap().len() <= 256);
        }
    }

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
