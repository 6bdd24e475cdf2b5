/* commands.h - the directives, for the module record. */
#ifndef IIMG_SERVER_CONFIG_COMMANDS_H
#define IIMG_SERVER_CONFIG_COMMANDS_H

#include <httpd.h>
#include <http_config.h>

extern const command_rec iimg_config_commands[];

#endif
