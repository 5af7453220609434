/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conntrack works in a namespace only while something asks for it. When a table's rules do, an
 * nf_tables table of ours does: a chain without a hook, with one rule that looks at `ct state`.
 * It is made before the rules are in force, and removed after. One that looks at `ct packets` has
 * the kernel turn net.netfilter.nf_conntrack_acct on, as -m connbytes in a table of its own does;
 * both leave it on.
 *
 * A file beside the blob of a generation says that it needs conntrack.
 */
#include "internal.h" /* first: the C library's network headers must come before the kernel's */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libnftnl/batch.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#define TABLE_NAME "ubpfilter"
#define CHAIN_NAME "conntrack"

static uint16_t protocol_family(enum table_family family)
{
	return family == TABLE_IPV4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

/* --- what is there --------------------------------------------------------------------------- */

static int note_rule(const struct nlmsghdr *header, void *data)
{
	(void)header;
	*(bool *)data = true;
	return MNL_CB_OK;
}

/* In the namespace that the thread is in. */
static int is_awake(enum table_family family, bool *awake)
{
	char buffer[512];
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETRULE,
							 protocol_family(family), NLM_F_DUMP, 0);
	int error;

	*awake = false;
	mnl_attr_put_strz(request, NFTA_RULE_TABLE, TABLE_NAME);
	mnl_attr_put_strz(request, NFTA_RULE_CHAIN, CHAIN_NAME);
	error = netlink_ask(NETLINK_NETFILTER, request, note_rule, awake);
	return error == -ENOENT ? 0 : error;
}

/* --- making and removing it ------------------------------------------------------------------ */

/* A transaction: messages one behind the other, the last one acknowledged. */
struct transaction {
	char buffer[2048];
	struct mnl_nlmsg_batch *batch;
	enum table_family family;
};

static int transaction_begin(struct transaction *transaction, enum table_family family)
{
	transaction->family = family;
	transaction->batch =
		mnl_nlmsg_batch_start(transaction->buffer, sizeof(transaction->buffer));
	if (!transaction->batch)
		return -ENOMEM;
	nftnl_batch_begin(mnl_nlmsg_batch_current(transaction->batch), 0);
	mnl_nlmsg_batch_next(transaction->batch);
	return 0;
}

static struct nlmsghdr *message_begin(const struct transaction *transaction, uint16_t type,
				      uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(transaction->batch), type,
				     protocol_family(transaction->family), flags, 0);
}

static int transaction_commit(struct transaction *transaction)
{
	int error;

	nftnl_batch_end(mnl_nlmsg_batch_current(transaction->batch), 0);
	mnl_nlmsg_batch_next(transaction->batch);
	error = netlink_send(NETLINK_NETFILTER, mnl_nlmsg_batch_head(transaction->batch),
			     mnl_nlmsg_batch_size(transaction->batch), NULL, NULL);
	mnl_nlmsg_batch_stop(transaction->batch);
	return error;
}

static void put_table(const struct transaction *transaction, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = message_begin(transaction, type, flags);

	mnl_attr_put_strz(message, NFTA_TABLE_NAME, TABLE_NAME);
	mnl_nlmsg_batch_next(transaction->batch);
}

static void put_chain(const struct transaction *transaction)
{
	struct nlmsghdr *message = message_begin(transaction, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, TABLE_NAME);
	mnl_attr_put_strz(message, NFTA_CHAIN_NAME, CHAIN_NAME);
	mnl_nlmsg_batch_next(transaction->batch);
}

/* `ct state` or `ct packets`: what it is compared with does not matter, the chain is never entered.
 */
static int rule_make(struct nftnl_rule *rule, enum nft_ct_keys key)
{
	struct nftnl_expr *state = nftnl_expr_alloc("ct"), *compare = nftnl_expr_alloc("cmp");

	if (!state || !compare) {
		if (state)
			nftnl_expr_free(state);
		if (compare)
			nftnl_expr_free(compare);
		return -ENOMEM;
	}
	nftnl_expr_set_u32(state, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(state, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	nftnl_rule_add_expr(rule, state);
	nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_DATA, NF_CT_STATE_BIT(IP_CT_NEW));
	nftnl_rule_add_expr(rule, compare);
	return 0;
}

static int put_rule(const struct transaction *transaction, enum nft_ct_keys key)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct nlmsghdr *message;
	int error;

	if (!rule)
		return -ENOMEM;
	error = rule_make(rule, key);
	if (!error) {
		nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, TABLE_NAME);
		nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, CHAIN_NAME);
		message = message_begin(transaction, NFT_MSG_NEWRULE,
					NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK);
		nftnl_rule_nlmsg_build_payload(message, rule);
		mnl_nlmsg_batch_next(transaction->batch);
	}
	nftnl_rule_free(rule);
	return error;
}

/* Whatever there is by our name is replaced. */
static int wake(enum table_family family, enum nft_ct_keys key)
{
	struct transaction transaction;
	int error = transaction_begin(&transaction, family);

	if (error)
		return error;
	put_table(&transaction, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	put_table(&transaction, NFT_MSG_DELTABLE, 0);
	put_table(&transaction, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	put_chain(&transaction);
	error = put_rule(&transaction, key);
	if (!error)
		return transaction_commit(&transaction);
	mnl_nlmsg_batch_stop(transaction.batch);
	return error;
}

static int let_sleep(enum table_family family)
{
	struct transaction transaction;
	int error = transaction_begin(&transaction, family);

	if (error)
		return error;
	put_table(&transaction, NFT_MSG_DELTABLE, NLM_F_ACK);
	error = transaction_commit(&transaction);
	return error == -ENOENT ? 0 : error;
}

static int report(int error, const char *what, enum table_family family, struct message *message)
{
	return message_set(message, error, "cannot %s conntrack (%s) by an nf_tables table: %s",
			   what, family_name(family), strerror(-error));
}

static int set_awake(struct netns *netns, enum table_family family, bool wanted,
		     struct message *message)
{
	bool awake;
	int error = is_awake(family, &awake);

	if (!error && awake != wanted)
		error = wanted ? wake(family, NFT_CT_STATE) : let_sleep(family);
	if (error)
		return report(error, wanted ? "keep awake" : "let go of", family, message);
	netns->awake[family] = wanted;
	return 0;
}

/* At each new table, as in the kernel: somebody may have turned it off. */
static int have_counted(enum table_family family, struct message *message)
{
	int error = wake(family, NFT_CT_PKTS);

	return error ? report(error, "turn on the counters of", family, message) : 0;
}

/* --- what is wanted -------------------------------------------------------------------------- */

static void need_path(const struct netns *netns, char *path, enum table_family family,
		      uint64_t number)
{
	state_blob_path(netns, path, CONNTRACK_NEED_FORMAT, family_name(family), number);
}

static bool is_needed(const struct netns *netns, enum table_family family)
{
	uint64_t number = netns_generation(netns, family);
	char path[STATE_PATH_SIZE];

	need_path(netns, path, family, number);
	return number && !access(path, F_OK);
}

int conntrack_prepare(struct netns *netns, int netns_fd, enum table_family family, uint64_t number,
		      uint32_t needs, struct message *message)
{
	char path[STATE_PATH_SIZE];
	int error, fd;

	need_path(netns, path, family, number);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return message_set(message, -errno, "cannot make %s: %m", path);
	close(fd);
	error = netns_enter(netns->loader, netns_fd, message);
	if (error)
		return error;
	error = set_awake(netns, family, true, message);
	if (!error && needs & NEED_CONNECTION_COUNTS)
		error = have_counted(family, message);
	netns_leave(netns->loader);
	return error;
}

void conntrack_forget(const struct netns *netns, enum table_family family, uint64_t number)
{
	char path[STATE_PATH_SIZE];

	need_path(netns, path, family, number);
	unlink(path);
}

bool conntrack_is_awake(const struct netns *netns)
{
	return netns->awake[TABLE_IPV4] || netns->awake[TABLE_IPV6];
}

int conntrack_settle(struct netns *netns, int netns_fd, struct message *message)
{
	bool needed[TABLE_FAMILIES], any = conntrack_is_awake(netns);
	int error;

	for (unsigned family = 0; family < TABLE_FAMILIES; family++) {
		needed[family] = is_needed(netns, (enum table_family)family);
		any |= needed[family];
	}
	if (!any)
		return 0;
	error = netns_enter(netns->loader, netns_fd, message);
	if (error)
		return error;
	for (unsigned family = 0; family < TABLE_FAMILIES; family++) {
		int failed = 0;

		if (needed[family] || netns->awake[family])
			failed = set_awake(netns, (enum table_family)family, needed[family],
					   message);
		error = error ? error : failed;
	}
	netns_leave(netns->loader);
	return error;
}
