"use strict";
document.getElementById("onward").submit();
