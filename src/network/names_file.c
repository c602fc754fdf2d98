/* names_file.c - the document that tells a ketch-net who is on its network */
#include "network/names.h"

static const struct jfield entry_fields[] = {
	J(J_STR, struct names_entry, instance),
	J(J_STRV, struct names_entry, names),
	J(J_STR, struct names_entry, network),
	J(J_STRV, struct names_entry, also),
	J(J_STR, struct names_entry, address),
	J(J_STR, struct names_entry, address6),
	J(J_STR, struct names_entry, mac),
	J(J_STRV, struct names_entry, egress),
	JK(J_BOOL, struct names_entry, egress_given, "egressGiven"),
	JK(J_BOOL, struct names_entry, egress_learn, "egressLearn"),
	J(J_BOOL, struct names_entry, dhcp),
	{ 0 },
};
static const struct jtable entry_table = { sizeof(struct names_entry), entry_fields };

static const struct jfield file_fields[] = {
	J(J_STR, struct names_file, network),
	J(J_STR, struct names_file, bridge),
	J(J_STR, struct names_file, gateway),
	J(J_STR, struct names_file, gateway6),
	J(J_STR, struct names_file, subnet),
	J(J_STR, struct names_file, subnet6),
	J(J_BOOL, struct names_file, internal),
	J(J_STRV, struct names_file, upstream),
	J(J_STR, struct names_file, table),
	J(J_U32, struct names_file, mtu),
	JA(struct names_file, entries, n_entries, "entries", &entry_table),
	{ 0 },
};
const struct jtable names_file_table = { sizeof(struct names_file), file_fields };
