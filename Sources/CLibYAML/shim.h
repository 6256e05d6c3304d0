// The event interface of libyaml (0.2): a text comes in, and the start and end of each node go out, with their places.
#ifndef WEIGHBRIDGE_CLIBYAML_H
#define WEIGHBRIDGE_CLIBYAML_H

#include <yaml.h>

#endif
