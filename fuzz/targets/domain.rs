//! The XML of a domain, as virsh prints it.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sysadm::fuzzing::domain(text));
