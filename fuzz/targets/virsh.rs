//! All other output of virsh.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sysadm::fuzzing::virsh(text));
