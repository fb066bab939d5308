"""What other APIs call the parameters and fields of this one: the word that a name of theirs stands for here."""

from collections.abc import Iterable

from cnx_mock.text.suggestions import did_you_mean

_SYNONYMS: dict[str, tuple[str, ...]] = {
    "limit": (
        *("perpage", "pagesize", "pagelimit", "size", "count", "max", "maxresults", "maxitems", "maxcount", "maxkeys"),
        *("resultsperpage", "itemsperpage", "top", "first", "take", "rows", "num", "number", "length", "batchsize"),
    ),
    "start": ("from", "since", "begin", "startdate", "startday", "fromdate", "after"),
    "end": ("to", "until", "till", "enddate", "endday", "todate", "before"),
    "page": (
        *("offset", "skip", "cursor", "pagenumber", "pagenum", "pageno", "pageindex", "currentpage", "p"),
        *("pagetoken", "nextpage", "nexttoken", "nextpagetoken", "continuationtoken", "marker"),
        *("after", "startingafter", "startat", "startindex", "start", "from"),
    ),
    "timezone": ("tz", "zone", "timezonename", "zoneinfo", "locale"),
    "group_by": ("granularity", "interval", "period", "by", "bucket", "resolution", "aggregate", "aggregation"),
    "status": ("state", "phase", "power", "powerstate", "lifecycle"),
    "region": ("zone", "location", "datacenter", "dc", "availabilityzone", "az", "site", "regionid", "regionslug"),
    "regions": ("zones", "locations", "datacenters", "availabilityzones"),
    "tags": ("labels", "label", "metadata", "meta", "tagnames", "tagged", "tagname"),
    "plan": (
        "size",
        "type",
        "instancetype",
        "machinetype",
        "servertype",
        "flavor",
        "flavorref",
        "tier",
        "sku",
        "vmsize",
    ),
    "image": ("os", "ami", "imageref", "template", "distribution", "distro", "operatingsystem", "snapshot"),
    "name": ("hostname", "title", "displayname", "label", "identifier", "servername"),
    "instance_id": ("instance", "server", "serverid", "vm", "vmid", "droplet", "dropletid", "resourceid", "sourceid"),
    "instance_ids": ("instances", "servers", "serverids", "vms", "dropletids", "targets", "backends", "members"),
    "default_inbound": ("inboundpolicy", "ingresspolicy", "defaultingress", "inbound", "ingress"),
    "default_outbound": ("outboundpolicy", "egresspolicy", "defaultegress", "outbound", "egress"),
    "forwarding_rules": ("listeners", "rules", "forwards", "services"),
    "health_check": ("check", "probe", "monitor", "healthmonitor"),
    "rules": ("inboundrules", "outboundrules", "ingress", "egress", "entries", "permissions"),
    "algorithm": ("strategy", "method", "policy", "balancing"),
    "protocol": ("proto", "scheme", "ipprotocol"),
    "cidrs": ("cidr", "sources", "source", "destinations", "destination", "addresses", "networks", "ips", "ipranges"),
    "ports": ("portrange", "fromport", "toport", "dport"),
    "direction": ("way", "flow"),
    "action": ("policy", "verdict", "effect"),
}
"""Names of this API, each with the names that mean the same elsewhere: in small letters, without `_` and `-`."""


def meant(name: str, known: Iterable[str]) -> str:
    """Return `did_you_mean` for a name that the API does not know, whose own names at this place are `known`.

    A name that other APIs use comes before a name that only looks alike: `per_page` looks like `page`, and means
    `limit`.
    """
    known = list(known)
    word = name.lower().replace("_", "").replace("-", "")
    if word in (each.lower().replace("_", "") for each in known):
        return did_you_mean(name, known)
    own = next((each for each, others in _SYNONYMS.items() if each in known and word in others), None)
    return did_you_mean(name, known) if own is None else f", did you mean '{own}'?"
