//! The owner of the folder in which an incoming QEMU creates its socket: the user that QEMU runs as, so that no
//! other user can reach the socket.
//!
//! libvirt says which user that is: by the label that its `dac` security model gives to every zone of the host
//! (`user` in qemu.conf), unless the zone has one of its own. Without that model, QEMU runs as libvirt's daemon
//! does: as root.

use std::path::Path;

use roxmltree::{Document, Node};

use crate::exec::Command;
use crate::model::Manifest;
use crate::platform::PlatformError;
use crate::platform::libvirt::virsh::Connection;

/// Gives the folder of a migration to the user of the QEMU that will receive it. Its mode does not change.
pub async fn let_qemu_in(manifest: &Manifest, folder: &Path) -> Result<(), PlatformError> {
    // Asked each time: qemu.conf may have changed since the agent was started.
    let capabilities = Connection::qemu().capabilities().await?;
    let unread = |command: &'static str| move |what: String| PlatformError::Output { command, what };
    let own = label_of_zone(&manifest.config).map_err(unread("virsh dumpxml"))?;
    let label = match own {
        Some(label) => Some(label),
        None => label_of_host(&capabilities).map_err(unread("virsh capabilities"))?,
    };
    let Some(label) = label else { return Ok(()) };
    let uid = uid_of(&label).await?;
    std::os::unix::fs::lchown(folder, Some(uid), None).map_err(|source| PlatformError::Io {
        what: "give QEMU's user",
        path: folder.to_owned(),
        source,
    })
}

async fn uid_of(label: &str) -> Result<u32, PlatformError> {
    let user = label.split(':').next().unwrap_or_default().trim();
    if let Some(uid) = user.strip_prefix('+').and_then(|digits| digits.parse().ok()) {
        return Ok(uid);
    }
    let output = Command::new("id").args(["-u", "--", user]).run().await;
    let output = output.map_err(|source| PlatformError::Command {
        what: format!("find QEMU's user {user:?}"),
        transient: false,
        source,
    })?;
    output.trim().parse().map_err(|_| PlatformError::Output {
        command: "id",
        what: format!("{:?} is not a user id", output.trim()),
    })
}

// <host>
//   <secmodel>
//     <model>dac</model>
//     <doi>0</doi>
//     <baselabel type='kvm'>+64055:+64055</baselabel>
//     <baselabel type='qemu'>+64055:+64055</baselabel>
//   </secmodel>
fn label_of_host(capabilities: &str) -> Result<Option<String>, String> {
    let document = Document::parse(capabilities).map_err(|error| error.to_string())?;
    let is_dac = |model: &Node<'_, '_>| {
        model.children().any(|part| part.has_tag_name("model") && part.text() == Some("dac"))
    };
    let models = document.descendants().filter(|node| node.has_tag_name("secmodel"));
    Ok(models.filter(is_dac).find_map(|model| text_of(model, "baselabel")))
}

// <seclabel type='static' model='dac' relabel='yes'>
//   <label>qemu:kvm</label>
// </seclabel>
fn label_of_zone(config: &str) -> Result<Option<String>, String> {
    let document = Document::parse(config).map_err(|error| error.to_string())?;
    // A label of another type was chosen by libvirt at the source.
    let is_fixed = |node: &Node<'_, '_>| {
        node.has_tag_name("seclabel")
            && node.attribute("model") == Some("dac")
            && node.attribute("type") == Some("static")
    };
    Ok(document.root_element().children().filter(is_fixed).find_map(|label| text_of(label, "label")))
}

fn text_of(node: Node<'_, '_>, child: &str) -> Option<String> {
    let found = node.children().find(|part| part.has_tag_name(child))?.text()?.trim();
    (!found.is_empty()).then(|| found.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_says_whom_its_qemus_run_as() {
        let capabilities = |models: &str| format!("<capabilities><host>{models}</host></capabilities>");
        let label = |models: &str| label_of_host(&capabilities(models)).unwrap();
        let apparmor = "<secmodel><model>apparmor</model><doi>0</doi></secmodel>";
        let dac = "<secmodel>\n<model>dac</model><doi>0</doi><baselabel type='kvm'>+64055:+108</baselabel>\
                   <baselabel type='qemu'>+64055:+108</baselabel></secmodel>";
        assert_eq!(label(&format!("{apparmor}{dac}")).as_deref(), Some("+64055:+108"));
        assert_eq!(label(apparmor), None);
        assert_eq!(label("<secmodel><model>dac</model><doi>0</doi></secmodel>"), None);
        assert_eq!(label(""), None);
        label_of_host("<capabilities>").unwrap_err();
    }

    #[test]
    fn a_label_counts_that_the_zone_itself_brings() {
        let label = |labels: &str| label_of_zone(&format!("<domain>{labels}</domain>")).unwrap();
        let seclabel = |about: &str| format!("<seclabel {about}><label>qemu:kvm</label></seclabel>");
        let fixed = seclabel("type='static' model='dac' relabel='yes'");
        assert_eq!(label(&fixed).as_deref(), Some("qemu:kvm"));
        assert_eq!(
            label(&format!("{}{fixed}", seclabel("type='static' model='selinux'"))).as_deref(),
            Some("qemu:kvm")
        );
        assert_eq!(label(&seclabel("type='dynamic' model='dac'")), None);
        assert_eq!(label("<seclabel type='none' model='dac'/>"), None);
    }

    #[tokio::test]
    async fn a_user_is_a_number_or_has_a_name() {
        assert_eq!(uid_of("+107:+108").await.unwrap(), 107);
        assert_eq!(uid_of("root:root").await.unwrap(), 0);
        for bad in ["", "+", "--help", "no-such-user:kvm"] {
            assert!(uid_of(bad).await.is_err(), "{bad:?}");
        }
    }
}
