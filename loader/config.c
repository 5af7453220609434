/* SPDX-License-Identifier: GPL-2.0-only */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static const char *const hook_names[] = {
	[HOOK_AUTO] = "auto",
	[HOOK_XDP] = "xdp",
	[HOOK_TC] = "tc",
	[HOOK_NETFILTER] = "netfilter",
};

int hook_parse(const char *text, enum hook_choice *hook)
{
	for (size_t i = 0; i < ARRAY_SIZE(hook_names); i++) {
		if (!strcmp(text, hook_names[i])) {
			*hook = (enum hook_choice)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *hook_text(enum hook_choice hook)
{
	return hook_names[hook];
}

int yes_parse(const char *text, bool *yes)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return -EINVAL;
	*yes = strcmp(text, "yes") == 0;
	return 0;
}

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

static int set_device(struct config *config, const char *name, enum hook_choice hook)
{
	if (!*name || strlen(name) >= IF_NAMESIZE)
		return -EINVAL;
	if (config->device_count == CONFIG_DEVICES_MAX)
		return -E2BIG;
	strcpy(config->devices[config->device_count].name, name);
	config->devices[config->device_count++].hook = hook;
	return 0;
}

static int parse_line(struct config *config, char *line)
{
	enum hook_choice hook;
	char *key, *value;

	line[strcspn(line, "#")] = '\0';
	key = trim(line);
	if (!*key)
		return 0;
	value = strchr(key, '=');
	if (!value)
		return -EINVAL;
	*value++ = '\0';
	value = trim(value);
	key = trim(key);
	if (!strcmp(key, "strict"))
		return yes_parse(value, &config->strict);
	if (hook_parse(value, &hook))
		return -EINVAL;
	if (!strncmp(key, "hook.", 5))
		return set_device(config, key + 5, hook);
	if (strcmp(key, "hook"))
		return -EINVAL;
	config->hook = hook;
	return 0;
}

int config_read(struct config *config, const char *path, struct message *message)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	struct config read = {};
	char line[512];
	unsigned number = 0;

	if (!file && errno != ENOENT)
		return message_set(message, -errno, "cannot read %s: %m", path);
	while (file && fgets(line, sizeof(line), file)) {
		int error = parse_line(&read, line);

		number++;
		if (error == -E2BIG)
			return message_set(message, error, "%s:%u: more than %d devices", path,
					   number, CONFIG_DEVICES_MAX);
		if (error)
			return message_set(message, error,
					   "%s:%u: expected \"hook = auto|netfilter|xdp|tc\", "
					   "\"hook.DEVICE = auto|netfilter|xdp|tc\" or "
					   "\"strict = yes|no\"",
					   path, number);
	}
	if (file && ferror(file))
		return message_set(message, -EIO, "cannot read %s", path);
	*config = read;
	return 0;
}

enum hook_choice config_hook(const struct config *config, const char *device)
{
	for (size_t i = config->device_count; i > 0; i--)
		if (!strcmp(config->devices[i - 1].name, device))
			return config->devices[i - 1].hook;
	return config->hook;
}
