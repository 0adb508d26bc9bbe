# shellcheck shell=bash
# The lab's network: one bridge, and a virtual cable from it to each host.

# Finds a number for the lab. Creating the bridge claims the number, so two labs never share one.
claim_number() {
    local first tries number
    first=$((16#$(sha256sum <<<"$DIR" | cut -c1-6)))
    for ((tries = 0; tries < 250; tries++)); do
        number=$(((first + tries) % 250))
        if make_bridge "$number" 2>/dev/null; then
            NUMBER=$number
            echo "$NUMBER" >"$DIR/number"
            return
        fi
    done
    die "250 labs at once are too many"
}

# All hardware addresses are fixed: a host that boots again keeps its own, and a bridge would change its own
# with every cable; in both cases others would send to an old address for a while.
hardware_address() {
    printf '02:4c:41:42:%02x:%02x' "$1" "$2"
}

make_bridge() {
    ip link add "lab$1" address "$(hardware_address "$1" 254)" type bridge forward_delay 0 || return
    ip link set "lab$1" alias "$DIR"
    ip addr add "10.77.$1.254/24" dev "lab$1"
    ip link set "lab$1" up
}

bridge_is_ours() {
    [[ -n $NUMBER && $(cat "/sys/class/net/lab$NUMBER/ifalias" 2>/dev/null) == "$DIR" ]]
}

# make_network HOST: a cable from the bridge to the host's eth0; and br0, a bridge for guests.
make_network() {
    local host=$1 index ns
    ns=$(netns "$host")
    index=$(<"$DIR/$host/index")
    ip netns add "$ns"
    ip link add "lab$NUMBER-$index" type veth \
        peer name eth0 address "$(hardware_address "$NUMBER" "$index")" netns "$ns"
    ip link set "lab$NUMBER-$index" master "lab$NUMBER" up
    ip -netns "$ns" link set lo up
    ip -netns "$ns" addr add "$(host_address "$host")/24" dev eth0
    ip -netns "$ns" link set eth0 up
    ip -netns "$ns" link add br0 type bridge forward_delay 0
    ip -netns "$ns" link set br0 up
}

# link_of_host HOST up|down: the bridge's end of the cable, as if it were pulled or plugged.
link_of_host() {
    local index
    host_is_up "$1" || die "host '$1' is not up"
    index=$(<"$DIR/$1/index")
    ip link set "lab$NUMBER-$index" "$2"
}
