/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debian's `iptables` is the nf_tables variant, which does not use the socket options. When it is
 * the program that the library is loaded into, the legacy variant of the same command is run in its
 * place, with the same arguments, environment, and process.
 */
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "../common/cleanup.h"

#define NFT_PROGRAM    "/xtables-nft-multi"
#define LEGACY_PROGRAM "/xtables-legacy-multi"

/* Called by these names, both variants are meant. `iptables-nft` means what it says. */
static const char *const neutral_names[] = {
	"iptables",  "iptables-save",  "iptables-restore",
	"ip6tables", "ip6tables-save", "ip6tables-restore",
};

static bool is_neutral(const char *name)
{
	const char *slash = strrchr(name, '/');

	if (slash)
		name = slash + 1;
	for (size_t i = 0; i < ARRAY_SIZE(neutral_names); i++)
		if (strcmp(name, neutral_names[i]) == 0)
			return true;
	return false;
}

__attribute__((constructor)) static void prefer_legacy(int argc, char **argv, char **envp)
{
	char path[PATH_MAX];
	ssize_t length;
	char *slash;

	if (argc < 1 || !is_neutral(argv[0]))
		return;
	length = readlink("/proc/self/exe", path, sizeof(path) - sizeof(LEGACY_PROGRAM));
	if (length < 0)
		return;
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (!slash || strcmp(slash, NFT_PROGRAM) != 0)
		return;
	strcpy(slash, LEGACY_PROGRAM);
	/* Where there is no legacy variant, the command does what it would do without us. */
	execve(path, argv, envp);
}
