#include "policies/embedded.h"
