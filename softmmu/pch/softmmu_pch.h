// SPDX-License-Identifier: Apache-2.0
#pragma once

// What nearly every file of the layer includes; each file still includes what it uses.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>
