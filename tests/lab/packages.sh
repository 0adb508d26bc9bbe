# shellcheck shell=bash
# What the lab needs on this machine: Debian packages, and in LAB_CACHE what guests are made of.
#
# LAB_CACHE/vmlinuz      Debian's kernel for clouds
# LAB_CACHE/initrd       guest-init.c and two modules for the power button
# LAB_CACHE/root         root folder of a container
# LAB_CACHE/shared-fs.so see shared-fs.c
# LAB_CACHE/host-init    see host-init.c

PACKAGES=(qemu-utils qemu-system-x86 libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-driver-lxc
    libvirt-clients openssh-server openssh-client ganeti-htools iproute2 procps busybox-static cpio
    gcc libc6-dev make perl pkg-config libssl-dev rpm shellcheck)
KERNEL_PACKAGE=linux-image-cloud-amd64

install_all() {
    mkdir -p "$LAB_CACHE"
    # Test programs run in parallel: one installs, the others wait for it.
    exec 9>"$LAB_CACHE/.lock"
    flock 9
    packages_are_there || install_packages
    make_users
    [[ -f $LAB_CACHE/vmlinuz ]] || make_kernel
    if is_older "$LAB_CACHE/initrd" guest-init.c; then make_guest; fi
    compile shared-fs.so shared-fs.c -shared -fPIC
    compile host-init host-init.c
    exec 9>&-
}

# is_older FILE SOURCE: also true if FILE does not exist.
is_older() {
    [[ ! -e $1 || $LAB_HOME/$2 -nt $1 ]]
}

packages_are_there() {
    local states
    states=$(dpkg-query -W -f '${db:Status-Status}\n' "${PACKAGES[@]}" 2>/dev/null) || return 1
    ! grep -qv '^installed$' <<<"$states"
}

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o APT::Sandbox::User=root "$@" >&2
}

# qemu-utils comes from the release itself: the one from backports conflicts with the release's QEMU.
install_packages() {
    local codename wanted=()
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    wanted=("${PACKAGES[@]/%qemu-utils/qemu-utils/$codename}")
    note "installing packages"
    apt install --no-install-recommends --allow-downgrades "${wanted[@]}" || {
        apt update
        apt install --no-install-recommends --allow-downgrades "${wanted[@]}"
    }
}

# An otherwise unneeded package would create these; without them libvirt's QEMU driver does not start.
make_users() {
    getent group kvm >/dev/null || groupadd -r kvm
    getent group libvirt-qemu >/dev/null || groupadd -r libvirt-qemu
    getent passwd libvirt-qemu >/dev/null ||
        useradd -r -g libvirt-qemu -G kvm -d /nonexistent -s /usr/sbin/nologin libvirt-qemu
}

# Only unpacked: this machine keeps its own kernel.
make_kernel() {
    local package work=$LAB_CACHE/kernel.work
    note "fetching the guest's kernel"
    package=$(kernel_package)
    if [[ -z $package ]]; then
        apt update
        package=$(kernel_package)
    fi
    rm -rf "$work"
    mkdir -p "$work"
    (cd "$work" && { apt download "$package" || { apt update && apt download "$package"; }; })
    dpkg -x "$work"/*.deb "$work/tree"
    find "$work/tree/lib/modules" \( -name button.ko -o -name evdev.ko \) -exec cp {} "$LAB_CACHE/" \;
    cp "$work"/tree/boot/vmlinuz-* "$LAB_CACHE/vmlinuz.new"
    mv "$LAB_CACHE/vmlinuz.new" "$LAB_CACHE/vmlinuz"
    rm -rf "$work"
}

# The metapackage of the newest version depends on the package with the files.
kernel_package() {
    apt-cache depends "$KERNEL_PACKAGE" 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1
}

make_guest() {
    local work=$LAB_CACHE/guest.work module
    rm -rf "$work"
    mkdir -p "$work"/{initrd/dev,root/{bin,dev,etc,proc,sys,tmp}}
    gcc -static -O2 -Wall -Wextra -o "$work/initrd/init" "$LAB_HOME/guest-init.c"
    for module in button evdev; do
        if [[ -f $LAB_CACHE/$module.ko ]]; then cp "$LAB_CACHE/$module.ko" "$work/initrd/"; fi
    done
    mknod "$work/initrd/dev/console" c 5 1
    cp "$work/initrd/init" "$work/root/bin/init"
    cp /bin/busybox "$work/root/bin/busybox"
    ln -s busybox "$work/root/bin/sh"
    rm -rf "$LAB_CACHE/root"
    mv "$work/root" "$LAB_CACHE/root"
    (cd "$work/initrd" && find . | cpio -o -H newc --quiet) >"$work/initrd.cpio"
    # Renamed last, when complete: if it exists everything does, and a running guest keeps the old one.
    mv "$work/initrd.cpio" "$LAB_CACHE/initrd"
    rm -rf "$work"
}

# compile RESULT SOURCE OPTIONS...: if the source is newer. Running hosts keep the old program.
compile() {
    local result=$LAB_CACHE/$1 source=$2
    if ! is_older "$result" "$source"; then return; fi
    shift 2
    gcc -O2 -Wall -Wextra "$@" -o "$result.new" "$LAB_HOME/$source"
    mv "$result.new" "$result"
}
