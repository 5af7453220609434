/* SPDX-License-Identifier: GPL-2.0-only */
#include "message.h"

#include <stdarg.h>

int message_set(struct message *message, int error, const char *format, ...)
{
	va_list arguments;

	if (!message || message->text[0])
		return error;
	va_start(arguments, format);
	vsnprintf(message->text, sizeof(message->text), format, arguments);
	va_end(arguments);
	return error;
}
