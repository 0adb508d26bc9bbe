//! Everything else that virsh prints.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sysadm::fuzzing::virsh(text));
